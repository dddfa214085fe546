"""Which articles a question may use, chosen in the library and shown above the question box; each tab has its own.

The chip is made before the views and placed by the one that asks: `choice.place()`. What asks takes
`choice.state` as an input and hands `documents_of(chosen)` to `Desk.ask`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from rag import rendering
from rag.holdings import Chosen
from rag.page.shared import QUIET, Updates


@dataclass(frozen=True, slots=True)
class Choice:
    """The articles chosen in a tab; none stands for all."""

    state: gr.State
    """tuple[Chosen, ...]"""
    chip: gr.HTML
    """Not placed yet."""

    def place(self) -> None:
        """Put the chip where the view that asks is being built; called once."""
        self.chip.render()  # type: ignore[no-untyped-call]

    def wire(self) -> None:
        """Let the chip's × ask all articles again; called once, within the page."""
        self.chip.select(self._all, None, [self.state, self.chip], **QUIET)

    def shown(self, chosen: tuple[Chosen, ...]) -> Updates:
        """The updates that make these the chosen ones."""
        return {self.state: chosen, self.chip: rendering.chosen_html(chosen)}

    def _all(self) -> Updates:
        return self.shown(())


def make() -> Choice:
    """Within the page, before its views."""
    chip = gr.HTML(
        "", elem_id="only-from", js_on_load=rendering.library_script(), apply_default_css=False, render=False
    )
    return Choice(gr.State(()), chip)


def documents_of(chosen: Sequence[Chosen]) -> frozenset[str] | None:
    """As `Desk.ask` takes it."""
    return frozenset(one.id for one in chosen) or None
