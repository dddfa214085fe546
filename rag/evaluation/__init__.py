"""Question sets → scores, reports and comparisons, by the very pipeline that answers on the page."""
