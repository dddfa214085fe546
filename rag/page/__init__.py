"""The page, on Gradio: layout and events. What is shown is made by `rag.rendering`, and answers by way of `rag.desk`.

asking    the conversation and its sources; `shown` is what a tab of it shows, `keeping` what is done
          with a whole one
library   the articles; `choosing` which of them a question may use
bulk      files of questions and evaluations
shared    what all views use
api       the functions that programs call, over REST
tools     the same as tools of MCP
lookups   what both may ask for
values    answers and passages as plain values
building  the views side by side
serving   runs the page until its `with` block ends
loading   Gradio itself, faster

Nothing is imported here: Gradio takes seconds to load, and only who runs the page needs it.
"""
