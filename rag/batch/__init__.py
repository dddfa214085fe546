"""Files of questions → files of answers, resumable at any moment."""
