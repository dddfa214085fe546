import time

import pytest

from rag.grounding import is_abstention
from rag.prompting import ABSTENTION

REFUSALS = """
The articles don’t say.
The articles don't say which port it was.
The passages do not mention the price of bread [1].
Passage [1] does not mention the price.
The passage doesn't explicitly state who did it.
The article did not give a price.
The provided passages do not contain any information about Netflix.
The passages do not have enough information.
Articles about the deal never mention a price.
The articles about the deal never mention a price.
The articles do not say whether the U.S. government agreed.
The passages give no figure.
The passages provide no information on this.
The articles say nothing about Google.
The passages discuss TikTok's payments to Microsoft, but do not mention Google.
None of the passages mention a price.
None of the passages [1] [2] mentions a price.
No passage mentions the price.
Neither article says who paid.
The context does not provide this information.
The given text cannot answer this question.
The sources provided do not say.
Unfortunately, the articles don't say.
The price is not mentioned in the passages.
The price isn't mentioned in any of the articles.
The price that TikTok pays Google is not mentioned in the given passages.
The U.S. price is not given in the articles.
No price is mentioned in the passages.
No information about Netflix is provided in the passages.
There is no information in the passages about the head of Netflix.
There is no information about the head of Netflix.
There's no mention of Netflix.
According to the passages, it is not specified who leads Netflix.
Based on the provided passages, there is no information about that.
It is not specified how much TikTok pays Google.
It is not possible to determine the price from the passages.
The answer cannot be determined from the passages.
I cannot answer the question from the passages.
I don't know.
I'm sorry, but I cannot find the answer in the articles.
Unknown.
The article does not mention any of that. It says that TikTok pays Microsoft.
"""

ANSWERS = """
OpenAI did not say why it suspended the account.
The report says the company did not answer.
The company did not disclose the price.
The terms of the deal were not disclosed.
The article says that OpenAI did not say why it suspended the account.
The article says OpenAI did not answer questions about the account.
The article says no one was hurt.
The article reports that Apple never mentioned the project again.
The passage states that Tim Cook did not provide details.
The article was written by The Verge.
According to the article, OpenAI did not say why it suspended the account.
According to passage [1], OpenAI did not say why it suspended the account [1].
In the article, TikTok does not give a reason.
Employees did not talk about ChatGPT until 2023, the article says.
The account was suspended, and OpenAI did not answer questions in the article.
OpenAI did not provide a source for the claim.
OpenAI did not say who the source was.
The source did not say how much was paid.
Sources did not say why the account was suspended.
No source was named.
No sources were given for the story.
The Verge did not name its sources.
ByteDance did not give employees access to the documents.
ByteDance did not report the findings of the article.
No employees were told about the documents.
Zhang Yiming cannot read the articles.
TikTok does not give users text answers.
TikTok's AI text does not replace video.
The text of the law does not mention TikTok.
It did not include the text of the memo.
The context window of the model does not include images.
The model cannot provide answers without context.
The price was not mentioned in the contract.
Apple is not mentioned in the lawsuit.
No information was shared with China.
The company said there is no information that data was leaked.
Liang Rubo said he could not find the answer in the text.
"I don't know," said Tim Cook.
No, it is not available to the public.
TikTok pays Microsoft US$20 million a month. The passages do not say for how long.
"""


@pytest.mark.parametrize("text", REFUSALS.strip().splitlines())
def test_refusals_are_recognized(text: str) -> None:
    assert is_abstention(text)


@pytest.mark.parametrize("text", ANSWERS.strip().splitlines())
def test_answers_that_deny_or_name_a_source_are_no_refusals(text: str) -> None:
    assert not is_abstention(text)


def test_what_the_user_reads_in_place_of_an_answer_is_a_refusal() -> None:
    assert is_abstention(ABSTENTION)


@pytest.mark.parametrize("text", ["", " \n", "The articles\tDON’T SAY\n\nTikTok pays Microsoft."])
def test_nothing_at_all_and_odd_spacing_are_refusals_too(text: str) -> None:
    assert is_abstention(text)


@pytest.mark.parametrize("word", ["no ", "the articles ", "not mentioned in ", "in the passages it is not ", "a" * 50])
def test_a_long_answer_is_judged_at_once(word: str) -> None:
    began = time.perf_counter()
    is_abstention(word * 1000)
    assert time.perf_counter() - began < 1
