"""Ask the original articles what the sample articles are asked, and compare the answers.

    python -m benchmarks.originals FOLDER

FOLDER holds the articles that those in seeds/ were written after. The questions are those of seeds/questions.jsonl that
say `"originals": true`, and all that can't be answered. What was answered before under the same conditions isn't asked
again; see `rag eval`.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from rag.cli.comparison import comparison_lines
from rag.cli.progress import ProgressLines
from rag.evaluation import compare, evaluate, read_report, report_json, report_markdown
from rag.settings import load_settings

SEEDS = Path(__file__).parent.parent / "seeds"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("articles", type=Path)
    articles = parser.parse_args().articles
    with tempfile.TemporaryDirectory() as folder, ProgressLines() as report:
        originals = evaluate(
            _question_set(articles, Path(folder) / "originals"),
            load_settings(),
            command=f"python -m benchmarks.originals {articles}",
            report=report,
        )
        seeds = evaluate(SEEDS, load_settings(), command="rag eval seeds", report=report)
    print(report_markdown(originals))
    for line in comparison_lines(compare(*(read_report(report_json(one)) for one in (seeds, originals)))):
        print(line)


def _question_set(articles: Path, folder: Path) -> Path:
    """The originals beside the questions about them, without the evidence: that is in the sample articles."""
    shutil.copytree(articles, folder)
    lines = [json.loads(line) for line in (SEEDS / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = [line for line in lines if line["originals"] or not line["answerable"]]
    text = "".join(json.dumps({**line, "evidence": []}) + "\n" for line in kept)
    (folder / "questions.jsonl").write_text(text, encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
