"""Texts that would run if anything took them for markup. Each sets `window.__xss` or opens a dialog when it does."""

RUN = "window.__xss=1;alert(1)"

RUNS_AS_MARKUP = (
    f"<img src=x onerror='{RUN}'>",
    f"<svg onload='{RUN}'>",
    f"<svg><animate onbegin='{RUN}' attributeName=x dur=1s>",
    f"<details open ontoggle='{RUN}'>",
    f'<iframe srcdoc="<script>parent.{RUN.replace(";alert(1)", "")}</script>"></iframe>',
    f"<video><source onerror='{RUN}'></video>",
    f"<input autofocus onfocus='{RUN}'>",
    f"\"><img src=x onerror='{RUN}'>",
    f'\'><img src=x onerror="{RUN}">',
    f"</textarea></title></style></script><img src=x onerror='{RUN}'>",
)
"""Run at once when they become part of a page."""

OTHERS = (
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror={RUN}&gt;'>",
    f"<script>{RUN}</script>",
    f"<scr\u200bipt>{RUN}</scr\u200bipt>",
    f"<img src=x one\x00rror='{RUN}'>",
    f"<img src=x onerror\u2028='{RUN}'>",
    f"&lt;img src=x onerror='{RUN}'&gt;",
    f"&#60;img src=x onerror='{RUN}'&#62;",
    f"&amp;lt;img src=x onerror='{RUN}'&amp;gt;",
    f"\\u003cimg src=x onerror='{RUN}'\\u003e",
    f"[click me](javascript:{RUN})",
    f'![x](x" onerror="{RUN})',
    f"<javascript:{RUN}>",
    f"javascript:{RUN}",
    f"JaVa\tScript:{RUN}//https://",
    f"data:text/html,<script>{RUN}</script>",
    f"\u202e>'1;1=ssx__.wodniw'=rorreno x=crs gmi<\u202c<img src=x onerror='{RUN}'>",
    f"\u2066<b onmouseover='{RUN}'>\u2069 move here",
    f'" autofocus onfocus="{RUN}" x="',
    f"' style='animation-name:x' onanimationstart='{RUN}' '",
    "${window.__xss=1}{{window.__xss=1}}{% window.__xss=1 %}<%= window.__xss=1 %>#{window.__xss=1}",
    "{{#with this}}{{lookup (lookup this 'constructor') 'constructor'}}{{/with}}`${window.__xss=1}`",
    f"]]><img src=x onerror='{RUN}'><![CDATA[",
    f"--><img src=x onerror='{RUN}'><!--",
    f"```html\n<img src=x onerror='{RUN}'>\n```",
    f"$$\\href{{javascript:{RUN}}}{{x}}$$ $\\unicode{{<img src=x onerror='{RUN}'>}}$",
    '__i18n__{"__type__":"translation_metadata","key":"<img src=x onerror=window.__xss=1>"}',
)
"""Run when they are decoded, rendered as Markdown or a template, put into an attribute, or pressed."""

PAYLOADS = RUNS_AS_MARKUP + OTHERS
