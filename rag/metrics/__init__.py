"""Scores of answers, rankings and refusals as pure functions of plain values."""
