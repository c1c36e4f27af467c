"""The words by which teachers ask, test, explain, correct, praise and say goodbye: frames of acts, as data.

Written in the notation of :mod:`~dialog_envs.tasks.language.phrases`. What each kind of cue does to the sentence that
it stands in is decided in :mod:`~dialog_envs.tasks.instruction.language.understanding`.
"""

from __future__ import annotations

from functools import lru_cache

from ....tasks.language.phrases import Trie, build, trie
from ....tasks.language.words import COMMON_WORDS, FILLERS, OPENERS, SMALL, SUBJECTS

_THAT = "that/this/it/everything/all/any/what"

CUES: dict[str, str] = {
    # kinds of explanation
    "analogy": "imagine, picture, think of, think about it as, thinking of, it is like, its like, is like, are like, was like, works like, "
    "act/acts/behave/behaves/behaving/acting like, much like, a lot like, a bit like, a little like, kind of like, sort of like, just like, rather like, just as, as if, "
    "as though, like a/an, similar to, is similar, same way as, in the same way, the same way, pretend, analogy, comparison, compare it to, compare it "
    "with, think of it/this/that/them as, you can think, you could think, metaphor, by analogy, reminds me of, a little bit like, something like a, "
    "is basically like, same goes for, same as when, same as if, same idea as, not unlike, as in a, exactly like, imagine that, sounds like a, looks like a, feels like, plays the role of, "
    "you know how, you know when, its as if, just as a, just like when, resembles, resemble, equivalent of, close your eyes, in your mind, ever seen/watched/played/been/had/tried/noticed",
    "example": "for example, for instance, example, examples, such as, lets say, let us say, say you, say we, suppose, assume, consider, take a, take an, take "
    "the case, take this, take your, lets take, take for, concrete case, concretely, in practice, a case, case in point, real life, real world, "
    "worked example, to illustrate, illustration, imagine you have, imagine we have, imagine you buy, concrete, specifically, heres one, try it with, plug in, "
    "lets work, do the sums, in numbers, numbers on it, do the maths, do the math, with numbers, with figures, actual numbers, real numbers",
    "technical": "formally, formula, equation, defined as, definition, is given by, given by, denoted, denote, technically, in technical terms, strictly speaking, "
    "more precisely, precisely, proportional, proportional to, inversely, coefficient, derivative, integral, equals, divided by, multiplied by, times the, "
    "squared, per unit, square root, ratio of, the ratio, quotient, logarithm, logarithmic, exponential, mathematically, in symbols, theorem, si units, "
    "technical term/terms, rigorous, rigorously, scientific name, known as, so called, termed, referred to as, in formal terms, notation",
    "plain": "simply put, in plain words/terms/english, in simple words/terms, in short, put simply, basically, in other words, in everyday words, all it means, "
    "means that, just means, simply means, in a nutshell, to put it simply, it just means, plainly, simple version, short version, long story short",
    # questions of other kinds
    "confirm": f"does {_THAT} make/makes sense, do you follow, are you following, you following, follow me, with me, you with me, are you with me, you with me so far, still with me, make sense, "
    f"makes sense, making sense, is {_THAT} clear, is that clear so far, clear so far, all clear, clear, is {_THAT} ok/okay, ok so far, okay so far, "
    f"got it, got that, did you get/understand/follow {_THAT}, do you get/understand {_THAT}, does {_THAT} help, did {_THAT} help, did {_THAT} make sense, "
    "any questions, any question, questions so far, questions, any doubts, sound right, does that sound right/reasonable/sensible/logical/plausible, sound good, sounds good, shall we go on, shall "
    "we move on, shall i go on, can we move on, ready to move on, ready to go on, ready for the next, ready for more, should i go on, may i go on, can i go on, happy with that, happy so far, are you happy with, comfortable "
    "with that, comfortable so far, comfortable with it, how does that sound, does it click, did it click, did that click, does that click, clicking, is it clearer, clearer, clearer now, is it clear now, "
    "understood, you see, do you see, see what i mean, know what i mean, do you see why, see the point, get the picture, get the idea, are we good, we good, all good, good so far, okay with "
    "you, alright so far, fine so far, too fast, am i going too fast, too slow, too much at once, is that too much, does that answer, answer your question, was that clear, was that "
    "helpful, is this helpful, was this helpful, helpful, how is that, hows that, is that better, better now, right so far, is anything unclear, anything unclear so far, anything unclear, anything confusing, was anything, was any of that, lost you, did i lose you, "
    "have i lost you, get me, getting it, you getting this, sinking in, sink in, reasonable, are you okay, you okay, following so far, is the explanation clear, is it all clear, shall i carry on, shall we carry on, want me to continue, should i continue, "
    "shall i continue, can i continue, shall we continue, ready to continue, want me to repeat, shall i repeat, want me to go over, need me to repeat",
    "background": "how old, your age, what age, old are you, which grade, what grade, what year are you, which year are you, at school, in school, at university, in college, are you a student, "
    "are you studying, you studying, what do you study, do you study, what do you do, your job, your background, background, for a living, your profession, do you work, your work, where do you work, what is your work, "
    "who are you, about yourself, tell me about you, about who you are, bit about you, about you, who am i talking/speaking to, who i am talking/speaking to, who im talking/speaking to, who do i have, what field, which field, "
    "what subject do you, still at school, still in school, a pupil, are you a pupil, are you in school, are you at school, professional, what brings you, your line of work, line of work, "
    "occupation, what kind of work, a kid, are you a kid, adult, a grown up, studied, have you studied, level of education, education, what class are you in, in what class, a beginner, schooling, "
    "whats your level, what is your level, student or, working or, are you at uni, at uni, your studies, your career, your day job, day job, earn your living, introduce yourself, which school, what school",
    "style": "prefer, would you rather, do you like formulas/numbers/examples/pictures/stories/comparisons, how do you like, "
    "how do you learn, learn best, best way to learn, learning style, way of learning, kind of explanation/explanations, sort of explanation/explanations, "
    "type of explanation/explanations, style of explanation, works best for you, work best for you, works for you, what works best, how should i explain, how would you like, how shall i explain, how do you want, "
    "like to learn, like things explained, like me to explain, like it explained, want me to explain, comparisons or, examples or, example or, formulas or, pictures or, analogies or, stories or, analogy or, with an example or, maths "
    "or, math or, numbers or, everyday comparisons, help you most, helps you most, helps most, suits you, suit you, suits you best, easiest for you, style, favourite way, favorite way, "
    "with examples or, in simple words or, explain things, prefer examples, prefer formulas, examples help you, do examples help, do pictures help, do formulas help, "
    "formulas scare you, comfortable with formulas/maths/math/numbers, okay with formulas/maths/math, like maths, like math, happy with formulas/maths/math, do you like it",
    "open": "what do you already know, what do you know, what you already know, what you know, how much do you know, how much do you already know, how much you know, already know about, know about this topic, what have you "
    "heard, what would you like to know/learn, what do you want to know/learn, what would you like, where should/shall we start/begin, where would you like to start/begin, where do you want to start/begin, where to start, "
    "what is unclear, whats unclear, what isnt clear, what is not clear, what confuses you, what puzzles you, what is puzzling you, whats puzzling you, what is confusing, whats confusing, which part/parts, which bit, which "
    "of these, what part/parts, what bit, is there anything you, anything you want to ask/know, anything you would like, anything youd like, anything in particular, anything else, "
    "what is your question, whats your question, how can i help, what can i help, how may i help, what questions, have you any questions, do you have any questions, questions before, "
    "what do you find, what seems, what makes you curious, what are you curious, curious about, what interests you, what is hard, whats hard, what are you struggling, struggling "
    "with, what gives you trouble, trouble with, stuck, where are you stuck, where did you get stuck, what have you learned/learnt, your understanding so far, how familiar are you with the topic, "
    "seen this before, done this before, first time, new to you, what comes to mind, what is still unclear, whats still unclear, still unclear, what do you remember, what did you learn, lost, where did i lose you, "
    "ask me anything, what else, what shall we, what should we, do you want to know, how are you doing, how is it going, hows it going, tell me what you, current understanding, prior knowledge, starting point",
    "idea": "do you know, did you know, you know, do you already know, have you heard, ever heard, heard of, have you come across, come across, have you met, have you ever met, do you remember, you remember, remember, are you familiar, familiar with, how familiar, "
    "familiar, how comfortable, comfortable with, are you comfortable, how confident, confident, confident about, how well do you know/understand, how sure, sure about, do you understand, you understand, do you get, have you got, ring a bell, "
    "rings a bell, rings any bells, ring any bells, mean anything to you, means anything to you, say anything to you, know what, know how, know why, know about, already know, do you feel you, feel about, feel okay/ok/good/sure/confident about, how do you feel about, "
    "have you learned/learnt, did you learn, did you have, have you had, have you done, have you studied, have you seen, are you okay/ok/fine/happy with, you okay with, ok with, are you clear, clear on, clear about, is it clear what, is it clear "
    "how, is it clear why, shall i explain, should i explain, want me to explain, do you need me, do i need to explain, need to go over, would it help if, you aware, are you aware, aware of, new to you, heard the word/term, know the word/term, seen before, used to, at home with, how is your, hows your, "
    "could you say you know, would you say you know/understand, know much about, know anything about, much about, how much do you know about, what do you know about, tell me what you know about, ever wondered, idea what, any idea what, grasp, have a grasp, you good with, good with, solid on, shaky on, rusty, familiar to you, acquainted, acquainted with, get what, understand what/how/why",
    # testing
    "quiz": "what would happen, what happens, what do you think, what do you expect, what would you expect, do you think, would you say, would you expect, can you explain, could you explain, explain to me, explain "
    "back, explain why, explain how, explain what, explain in your own, explain it/this/that back, in your own words, your own words, can you tell me, could you tell me, tell me why, tell me how, tell me what, tell me "
    "which, tell me whether, tell me if, can you say, can you describe, could you describe, describe, predict, your prediction, your guess, guess, take a guess, make a guess, quick question, quick quiz, quiz, pop quiz, test, little test, let me test, let me "
    "check, quick check, to check, question for you, heres a question, here is a question, try this, try this one, riddle, a puzzle, which of, which one, true or false, why do you think, why does, why do, why is, why are, how come, how would you, "
    "what is the difference, whats the difference, difference between, can you give, give me an, give an example, name one, name two, name a, calculate, work out, compute, how many, how much would, how long would, "
    "what if, decide, your turn, now you, can you work out, what is, whats, what are, what does, what did, who, when would, where would, where does, why would, why did, why might, why can, why cant, why doesnt, why dont, why isnt, how does, how do, how can, how could, how is, "
    "explain, say why, say what, tell apart, finish the sentence, complete the sentence, fill in, summarise/summarize for me, teach me, teach it back, say it back, walk me through, talk me through, show me, convince me, justify",
    "rhetoric": "because, its because, it is because, the reason, the reason is, the answer is, the answer, well",
    # mistakes
    "mistake": "common mistake, common misconception, common error, misconception, misconceptions, a myth, its a myth, the myth, mistaken, misunderstanding, "
    "misunderstand, contrary to, contrary to what, not true that, isnt true that, not true, isnt true, untrue, not the case, isnt the case, not quite "
    "right, is wrong, is false, thats false, not actually, it is not that, it isnt that, people often think/believe/say/assume, many people "
    "think/believe/say/assume/imagine, most people think/believe/say/assume, lots of people think/believe/say/assume, a lot of people "
    "think/believe/say/assume, people think/believe/assume, people tend to think/believe/assume, some people think/believe, everyone thinks, everybody "
    "thinks, you might think/believe/assume/expect/say, you may think/believe/assume/expect, one might think, one would think, it is tempting, its "
    "tempting, tempting to think/believe/say/assume, easy to think/believe/assume, easy to mix up, sounds plausible, sounds logical, sounds clever, sounds "
    "reasonable, seems logical, seems obvious, seems natural, sounds right but, opposite is true, you think that, you thought, you believe, i know you "
    "think, you seem to think, you are mixing, youre mixing, dont confuse, beware, popular belief, popular idea, widespread, widely believed, commonly "
    "believed, commonly thought, often thought, often said, often believed, folklore, however tempting, correct you, correct that, clear that up, lets "
    "fix, set that straight, set the record straight, forget the idea, drop the idea, let go of, no such thing, nothing of the kind, fall for, fooled, "
    "misleading, debunk",
    "denial": "wrong, incorrect, false, the opposite, quite the opposite, the reverse, not because, unlike what, you said, you say, you told me, you mentioned, "
    "confusing, confuse, confused, careful, be careful, watch out, sounds like it, but no, no actually, actually no, well no, well actually, actually, in "
    "fact, in reality, in truth, the truth is, truth is, not really, rather than, instead of, let me correct, correction, clear up, not so, not at all, "
    "far from, trap, intuition, intuitive, there is a catch, not exactly, disagree, hold on, hang on, wait a moment, it seems, it sounds, surprisingly, "
    "mistake, youd think, you would think, other way round, other way around, its easy to, despite what, believe it or not, not quite, not right, isnt "
    "right, mixing up, mix up, not correct, isnt correct",
    # the whole
    "recap": "to sum up, sum up, summing up, sum it up, sums up, sum things up, in summary, summary, summarise, summarize, to summarise, to summarize, summarising, summarizing, recap, to recap, lets recap, quick recap, "
    "recapping, recapitulate, to review, lets review, reviewing, review, putting it together, put it together, putting it all together, put it all together, put everything together, putting everything together, all together, taken together, pulling it together, pull it all together, in "
    "conclusion, to conclude, so far we, so far weve, so far you, so far youve, we have seen, weve seen, we have learned/learnt/covered/seen, weve learned/learnt/covered, we learned, we covered, we talked about, what we have, what weve, you have learned/learnt, "
    "youve learned/learnt, you now know, now you know, all in all, big picture, the whole picture, whole story, look back, looking back, lets look back, going back over, go over everything, go over it all, go back over, once more from the top, main points, key points, "
    "key takeaways, takeaways, takeaway, the three ideas, the four ideas, the five ideas, bring it together, bringing it together, bring it all together, tie it together, tie it all together, tying it together, tying it all together, wrapping up what, in a nutshell then, remember the main, from start to finish, from the top, connect the dots, the whole chain, join the dots, long story short",
    "close": "goodbye, good bye, bye, bye bye, see you, see ya, farewell, that is all for today, thats all for today, that is all for now, thats all for now, all for today, thats all, that is all, thats it for today, that is it for today, thats it for now, that is it, "
    "end of the lesson, end of our lesson, end the lesson, end our lesson, finish here, stop here, leave it here, leave it there, leave it at that, we are done, were done, we are finished, were finished, done for today, done here, finished for today, wrap up here, wrap up the lesson, wrap it up, wrap up our, wrap things up, "
    "until next time, next time, have a nice/great/good/lovely/wonderful day, have a nice/great/good/lovely/wonderful one/evening/weekend, take care, good luck, all the best, enough for today, enough for now, "
    "concludes, concludes our lesson, that concludes, this concludes, brings us to the end, come to the end, reached the end, weve reached the end, class dismissed, lesson over, lesson is over, call it a day, thanks for your time, thank you for your time, thanks for your attention, thank you for your attention, thank you for listening, thanks for listening, was a pleasure, been a pleasure, pleasure "
    "teaching you, lesson ends, ends our lesson, ends the lesson, nothing more to, finish for today, finish there, finish the lesson, stop there, cheerio, catch you later, talk soon, later then, off you go, signing off, enjoy your day, enjoy the rest of, youre all set, you are all set",
    # manners
    "encourage": "really good at, good at this, very good at, i really like, really like how, you clearly, you obviously, understand more than, know more than, better than you, what a clever, that was clever, you are really, youre really, youre so, you are so, im impressed, proud, great going, good going, strong answer, you can do this, amazing work, wonderful work, well explained, beautifully explained, you explained, thats brilliant, that was brilliant, that was great, that was excellent, excellent thinking, what progress, come a long way, good for you, congratulations, congrats, kudos, props, lovely work, lovely job, brilliant work, brilliant job, excellent job, fantastic job, amazing job, super job, nicely done, nicely explained, very well done, stay curious, curiosity, trust your, dont be shy, no reason to be shy, be proud, more than you think, tricky for, finds this hard, finds it hard, find this hard, find it hard, finds this tricky, finds it tricky, patient with yourself, well done, good job, great job, nice job, nice work, good work, great work, excellent work, fantastic work, wonderful job, amazing job, you are doing, youre doing, doing great, doing well, doing really/very well, doing fine, doing "
    "brilliantly, doing fantastic, keep it up, keep going, you can do, you can do it, youve got this, you got this, you have got this, proud of you, impressed, impressive, i like how you, i love how you, love your, like your thinking, great thinking, good "
    "thinking, nice thinking, clever, you are smart, youre smart, bright, you are a star, superstar, dont worry, no worries, dont be afraid, not to worry, dont give up, stay with it, hang in there, almost there, nearly there, youre close, you are close, very close, so close, getting there, youre getting there, on the right track, right track, good progress, great "
    "progress, making progress, real progress, thats progress, you know more, you do know, you really do know, you do understand, you really understand, you have understood, youve understood, youve got it, you have got it, you got it, you know this, you already know more, trust yourself, be confident, believe in yourself, more confident, "
    "i believe in you, good effort, nice try, good try, great try, good attempt, great attempt, great effort, great question, good question, excellent question, brilliant question, bravo, hats off, way to go, thats the spirit, nailed it, you nailed, you aced, "
    "great answer, good answer, excellent answer, perfect answer, brilliant answer, thats a great, thats a good, what a great, what a good, lovely answer, nicely put, well put, well said, beautifully put, well reasoned, good reasoning, great reasoning, sharp, quick learner, fast learner, learning fast, learning quickly, natural at this, "
    "couldnt have said, better than you think, you have it, you can be proud, can be proud, should be proud, well spotted, good point, great point, excellent point, give yourself, pat on the back, high five, no need to worry, its normal, it is normal, its hard, everyone struggles, everybody struggles, happens to everyone, take your time, no shame, thats okay, thats ok, that is okay, you were right, excellent work, superb, take heart, courage, youll get, you will get, youll manage, youll soon",
    "ack": "i see, got it, okay, ok, alright, all right, right, sure, of course, thanks, thank you, thank you for, thanks for, understood, i understand, noted, fine, good, great, perfect, excellent, wonderful, lovely, nice, cool, super, fantastic, amazing, brilliant, "
    "awesome, yes, yeah, yep, exactly, correct, precisely so, thats right, that is right, thats correct, that is correct, absolutely, indeed, very good, very well, fair enough, good to know, that helps, sorry, im sorry, i am sorry, my apologies, apologies, "
    "no problem, makes sense, i hear you, happy to, glad, glad to hear, interesting, aha, ah, oh, hmm, mhm, uh huh, fair point, quite right, spot on, right answer, exactly right, thats it exactly, true, welcome back, you are right, youre right, totally, certainly, bingo, great to hear, good to hear, nice to hear, sounds good, "
    "glad you, im glad, pleased to hear, great stuff, good stuff, splendid, marvellous, terrific, no worries then, as you wish, as you like, i get it, i get that, get you, gotcha, roger",
    "greet": "hello, hi, hey, hi there, hey there, hello there, good morning, good afternoon, good evening, good day, welcome, welcome to, greetings, nice to meet, great to meet, lovely to meet, pleased to meet, nice to see, great to see, good to see, howdy, my name is, im your teacher, i am your teacher, i will be your teacher, "
    "ill be your teacher, your teacher today, your tutor, i am your tutor, im your tutor, im here to help, i am here to help, salutations, glad youre here, glad you are here, how are you, how are you today, how are you doing today",
    "refuse": "i cant help, i cannot help, cant help you, cannot help you, unable to help, not able to help, i wont, i refuse, i will not, i cant do that, i cannot do that, cant teach, cannot teach, cant explain, cannot explain, unable to explain, unable "
    "to assist, cannot assist, cant assist, not able to assist, not able to explain, not able to teach, as an ai, language model, rather not, id rather not, i would rather not, dont feel like, do not feel like, not my job, outside my, outside of my, beyond my, not allowed, not permitted, i decline, i must decline, have to decline, cant answer, cannot answer, unable to answer, unable to teach, i dont teach, not "
    "going to explain, not going to teach, not going to help, not going to answer, dont want to teach, dont want to explain, not something i can, no longer able, cant continue, cannot continue, unable to continue",
    "plan": "lets talk about, let us talk about, talk about, lets start, let us start, lets begin, let us begin, we will start, well start, we start, ill start, i will start, start with, begin with, start by, lets look at, let us look at, look at, "
    "lets move on, let us move on, move on to, moving on, moving on to, next up, next is, next comes, next topic, next we, turn to, lets turn, now to, now for, on to, onto, lets go, lets go on, lets go to, go on to, lets dive, dive into, lets discuss, discuss, lets explore, explore, "
    "i will explain, ill explain, let me explain, let me compare, let me test, let me take, let me use, let me tell, let me show, let us take, i would like to explain, id like to explain, i want to explain, im going to explain, i am going to explain, going to talk, going to learn, going to look, going to cover, going to teach, will cover, "
    "we will cover, well cover, will learn, well learn, will talk about, will teach, today we, todays lesson, todays topic, our topic, the topic, lesson, this lesson, our lesson, lets get to, get to, get started, lets get started, have five, here is another, heres another, another way, let me try, let me put, put it, try again, let me give, ill give, i will give, give you, "
    "here is how, heres how, here is the, heres the, here is a, heres a, here is an, heres an, lets see, we come back, come back to, back to, later on, after that, first of all, first up, before we, lets take a step back, step back, there are four, there are five, there are six, there are seven, four ideas, five ideas, six ideas, seven ideas",
}
"""Kind of cue -> its phrases, comma-separated. Kinds do not exclude each other: a phrase may stand under several."""

QUESTION_ONLY = frozenset(("confirm", "idea", "style", "open", "background"))
"""Cues that count only in a question, or where somebody asks to be told."""

_NORMAL = """
explain explained explains explanation understand understood understanding concept idea ideas lesson teach teacher teaching student learn learning
learned because therefore means meaning mean example examples instance imagine picture suppose consider formula equation question questions answer answers
wrong right correct mistake true false think thinking thought believe actually simply simple word words sum summary together know knowledge
clear sense follow""".split()


@lru_cache(maxsize=1)
def cue_trie() -> Trie:
    """Phrase -> its kinds, joined by spaces, as the name of the meaning."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    from ....tasks.language.phrases import expand

    for kind, phrases in CUES.items():
        for phrase in phrases.split(","):
            for row in expand(phrase):
                kinds.setdefault(tuple(row), []).append(kind)
    return trie(
        build((("cue", " ".join(dict.fromkeys(names)), ""), " ".join(row)) for row, names in kinds.items())
    )


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """English words that show a text to be English and are no typo."""
    phrases = (
        phrase.replace("/", " ").replace("?", "") for row in CUES.values() for phrase in row.split(",")
    )
    return (
        COMMON_WORDS.union(_NORMAL, *(phrase.split() for phrase in phrases))
        | OPENERS
        | FILLERS
        | SUBJECTS
        | SMALL
    )
