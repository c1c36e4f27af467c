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
    "analogy": "you know how, ever seen, ever watched, ever tried, ever noticed, ever played, have you ever, is basically a, is really a, works as, serve as, serves "
    "as, same thing happens, same thing as, the way a, the way you, no different from, like when, like having, like being, like trying, like those, like "
    "these, like an, would be like, be like, being like, compares to, remember the last time, pretend youre, lets pretend, lets imagine, try to imagine, "
    "try to picture, visualise, visualize, envision, mental picture, mental image, akin, sort of a, kind of a, its a bit like, bit like, same with, works "
    "the same, work the same, works just like, much the same, "
    "imagine, picture, think of, think about it as, thinking of, it is like, its like, is like, are like, was like, works like, "
    "act/acts/behave/behaves/behaving/acting like, much like, a lot like, a bit like, a little like, kind of like, sort of like, just like, rather like, as if, "
    "as though, like a/an, similar to, is similar, same way as, in the same way, the same way, pretend, analogy, comparison, compare it to, compare it "
    "with, think of it/this/that/them as, you can think, you could think, metaphor, by analogy, reminds me of, a little bit like, something like a, "
    "is basically like, same goes for, same as when, same as if, same idea as, not unlike, as in a, exactly like, imagine that, sounds like a, looks like a, feels like, plays the role of, "
    "you know how, you know when, its as if, just as a, just like when, resembles, resemble, equivalent of, close your eyes, in your mind, ever seen/watched/played/been/had/tried/noticed",
    "example": "here is an example, heres an example, picture this case, a real example, last year, last week, real example, to give you, to be concrete, to make it "
    "concrete, let us say, lets take, say its, say that you, in real life, in the real world, an instance, "
    "for example, for instance, example, examples, such as, lets say, let us say, say you, say we, suppose, assume, consider, take a, take an, take "
    "the case, take this, take your, lets take, take for, concrete case, concretely, in practice, a case, case in point, real life, real world, "
    "worked example, to illustrate, illustration, imagine you have, imagine we have, imagine you buy, concrete, specifically, heres one, try it with, plug in, "
    "lets work, do the sums, in numbers, numbers on it, do the maths, do the math, with numbers, with figures, actual numbers, real numbers",
    "technical": "in the literature, denotes, refers to, is termed, are termed, mathematically, in units, magnitude, function of, derived, is expressed, expressed as, "
    "corresponds to, obeys, satisfies, formal, law states, axiom, statistically, biochemically, chemically, physically, legally, legally speaking, "
    "doctrine, statute, catalyses, complexity, asymptotic, algorithmic, nonlinear, sum of, product of, quotient of, "
    "formally, formula, equation, defined as, definition, is given by, given by, denoted, denote, technically, in technical terms, strictly speaking, "
    "more precisely, precisely, proportional, proportional to, inversely, coefficient, derivative, integral, equals, divided by, multiplied by, times the, "
    "squared, per unit, square root, ratio of, the ratio, quotient, logarithm, logarithmic, exponential, mathematically, in symbols, theorem, si units, "
    "technical term/terms, rigorous, rigorously, scientific name, known as, so called, termed, referred to as, in formal terms, notation",
    "plain": "nothing more than, all there is to it, boils down to, comes down to, the basic idea, the main idea, "
    "simply put, in plain words/terms/english, in simple words/terms, in short, put simply, basically, in other words, in everyday words, all it means, "
    "means that, just means, simply means, in a nutshell, to put it simply, it just means, plainly, simple version, short version, long story short",
    # questions of other kinds
    "confirm": "are you following me, following this, does it all make sense, does that all make sense, is it making sense, am i making sense, am i being clear, do i "
    "make sense, is this making sense, is that making sense, did that land, does that land, hope that makes sense, hope its clear, hope thats clear, stop "
    "me if, shout if, any problems, is that all right, is that alright, is that okay, is that ok, is this okay, okay with you, ok with that, ok with this, "
    "do you agree, with me on that, on board, are you on board, any confusion, anything you didnt, anything you dont, shall i slow, should i slow, go "
    "slower, too quick, keeping up, you keeping up, hanging in, how are we doing, you still there, still there, is it sinking, make any sense, makes any "
    "sense, do you see how, does it ring true, did it help, did this help, does this help, does it fit, everything all right, everything ok, everything "
    "okay, everything clear, crystal clear, clear enough, plain enough, was it clear, clear to you, is it clear to you, comprende, capisce, kapish, ya get "
    "me, u get me, feel me, okay up to here, ok up to here, up to here, up to this point, thus far, happy to go on, happy to continue, happy to move on, "
    "good to continue, good to move, want to continue, want to go on, on to the next, do you want me to repeat, want me to say, want it again, is my "
    "explanation, understandable, do you understand me, do you understand so far, do you understand now, understand so far, understand everything, did you "
    "understand everything, did you understand, did you get everything, all understood, is all understood, do you get it, do you get it now, do you get "
    "that, you get it, you get that, get it now, did you catch that, catch that, catch my drift, follow so far, following along, able to follow, could you "
    "follow, can you follow, can you follow me, are we clear, are we on the same page, "
    f"does {_THAT} make/makes sense, do you follow, are you following, you following, follow me, with me, you with me, are you with me, you with me so far, still with me, make sense, "
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
    "background": "how many years, your year, are you a beginner, first year, which class, in which class, school or, at work or, do you have a job, have a job, what "
    "job, which job, what is your job, whats your job, what is your age, whats your age, may i ask your age, ask your age, ask how old, know how old, if "
    "youre a student, whether youre a student, whether you are a student, if you are a student, who you are, what you do, what do you work, day to day, "
    "employment, where are you in life, stage of life, what stage of, grade are you, study at, studying for, do you go to school, go to school, still "
    "study, still studying, still learning at, a bit about you, little about you, something about you, something about yourself, little about yourself, "
    "more about you, more about yourself, a few words about you, get to know you, know you better, know who you, who i have, who am i teaching, who im "
    "teaching, who i am teaching, teaching today, what kind of learner, come from what, from what field, your field, your trade, your major, your degree, "
    "majoring, your education, educational, highest level, training do you have, do you have any training, what training, trained as, what are you by "
    "profession, by profession, by trade, professionally, your school, your class, your grade, "
    "how old, your age, what age, old are you, which grade, what grade, what year are you, which year are you, at school, in school, at university, in college, are you a student, "
    "are you studying, you studying, what do you study, do you study, what do you do, your job, your background, background, for a living, your profession, do you work, your work, where do you work, what is your work, "
    "who are you, about yourself, tell me about you, about who you are, bit about you, about you, who am i talking/speaking to, who i am talking/speaking to, who im talking/speaking to, who do i have, what field, which field, "
    "what subject do you, still at school, still in school, a pupil, are you a pupil, are you in school, are you at school, professional, what brings you, your line of work, line of work, "
    "occupation, what kind of work, a kid, are you a kid, adult, a grown up, studied, have you studied, level of education, education, what class are you in, in what class, a beginner, schooling, "
    "whats your level, what is your level, student or, working or, are you at uni, at uni, your studies, your career, your day job, day job, earn your living, introduce yourself, which school, what school",
    "style": "how do you prefer, which do you prefer, what do you prefer, do you prefer, would you prefer, you prefer, you want it, easiest to follow, easier for "
    "you, more helpful, most helpful, what helps you, what would help, helps you learn, helps you understand, help you learn, help you understand most, "
    "visual learner, way to explain, ways of explaining, how best to explain, best to explain, kind of explanations, sort of explanations, explained best, "
    "like me to teach, want me to teach, should i teach, shall i teach, how to teach you, how shall we do, formulas ok, formulas okay, sort of teaching, "
    "kind of teaching, teaching style, explanation style, style of teaching, which style, what style, what suits, works better, work better, like your "
    "explanations, want your explanations, take your explanations, like to be taught, like to have things, "
    "prefer, would you rather, do you like formulas/numbers/examples/pictures/stories/comparisons, how do you like, "
    "how do you learn, learn best, best way to learn, learning style, way of learning, kind of explanation/explanations, sort of explanation/explanations, "
    "type of explanation/explanations, style of explanation, works best for you, work best for you, works for you, what works best, how should i explain, how would you like, how shall i explain, how do you want, "
    "like to learn, like things explained, like me to explain, like it explained, want me to explain, comparisons or, examples or, example or, formulas or, pictures or, analogies or, stories or, analogy or, with an example or, maths "
    "or, math or, numbers or, everyday comparisons, help you most, helps you most, helps most, suits you, suit you, suits you best, easiest for you, style, favourite way, favorite way, "
    "with examples or, in simple words or, explain things, prefer examples, prefer formulas, examples help you, do examples help, do pictures help, do formulas help, "
    "formulas scare you, comfortable with formulas/maths/math/numbers, okay with formulas/maths/math, like maths, like math, happy with formulas/maths/math, do you like it",
    "open": "what would you like to hear, hear about, what do you want to hear, where do we start, where do we begin, how shall we start, what shall we start, "
    "what should we start, what would you like to start, start with what, tell me what you already know, tell me what you know, what do you understand, "
    "what do you understand so far, your current, where are you at, where do you stand, what are your questions, your questions, what are you unsure, what "
    "are you not sure, unsure about, not sure about, what are you confused, confused about, whats bothering, what is bothering, bothering you, whats "
    "tripping, tripping you, what is the hardest, whats the hardest, hardest part, difficult part, tricky part, trickiest, where do you get, get stuck, "
    "where is the problem, wheres the problem, what is the problem, whats the problem, whats the trouble, what is the trouble, what seems to be, what "
    "troubles you, which idea, which ideas, which topic, which concept, anything unclear you, anything specific, something specific, anything particular, "
    "what makes this, what do you struggle, do you struggle, do you have a question, a question for me, questions for me, something you want, wish to "
    "know, wish to learn, care to know, dying to know, what are your thoughts, share what, share with me, say in your, first impressions, guess about, "
    "what got you, what drew you, interested in this, want to focus, go deeper, dig deeper, so far about, about this subject, about the subject, about the "
    "topic, about this topic, about all this, about this already, your gaps, feel lost, what did you not, didnt you understand, dont you understand, dont "
    "you get, havent you understood, anything you dont understand, anything you do not understand, anything that is unclear, anything thats unclear, "
    "anything still unclear, anything that confuses, anything that puzzles, anything you find, "
    "what do you already know, what do you know, what you already know, what you know, how much do you know, how much do you already know, how much you know, already know about, know about this topic, what have you "
    "heard, what would you like to know/learn, what do you want to know/learn, what would you like, where should/shall we start/begin, where would you like to start/begin, where do you want to start/begin, where to start, "
    "what is unclear, whats unclear, what isnt clear, what is not clear, what confuses you, what puzzles you, what is puzzling you, whats puzzling you, what is confusing, whats confusing, which part/parts, which bit, which "
    "of these, what part/parts, what bit, is there anything you, anything you want to ask/know, anything you would like, anything youd like, anything in particular, anything else, "
    "what is your question, whats your question, how can i help, what can i help, how may i help, what questions, have you any questions, do you have any questions, questions before, "
    "what do you find, what seems, what makes you curious, what are you curious, curious about, what interests you, what is hard, whats hard, what are you struggling, struggling "
    "with, what gives you trouble, trouble with, stuck, where are you stuck, where did you get stuck, what have you learned/learnt, your understanding so far, how familiar are you with the topic, "
    "seen this before, done this before, first time, new to you, what comes to mind, what is still unclear, whats still unclear, still unclear, what do you remember, what did you learn, lost, where did i lose you, "
    "ask me anything, what else, what shall we, what should we, do you want to know, how are you doing, how is it going, hows it going, tell me what you, current understanding, prior knowledge, starting point",
    "idea": "are you at home with, do you have a feel, have a feel, feel for, any idea of, any idea about, have any idea, an idea of, heard about, hear of, hear "
    "about, know anything, know something, read about, learnt about, learned about, been taught, were you taught, been told about, did you cover, have you "
    "covered, is it new, or is it new, new for you, old hat, old news, already clear, clear to you, is clear to you, make sense to you already, already "
    "understand, already got, already familiar, do you recall, can you recall, ever learned, ever learnt, ever studied, ever read, ever seen, seen the "
    "word, seen the term, stumbled, stumbled upon, run into, ran into, encountered, know by, happy about, ok with, fine with, fine on, okay on, strong on, "
    "strong in, sure of, certain about, certain of, what you know about, much do you know, how much you know about, what can you tell me about, can you "
    "tell me about, tell me about, known to you, any experience, experience with, knowledge of, how good are you, good are you, how strong, would you "
    "feel, feel sure, feel fine, feel ok, feel at home, on a scale, scale of, rate your, where are you with, where do you stand with, where do you stand "
    "on, how are you with, how are you on, hows it with, how do you stand, "
    "do you know, did you know, you know, do you already know, have you heard, ever heard, heard of, have you come across, come across, have you met, have you ever met, do you remember, you remember, remember, are you familiar, familiar with, how familiar, "
    "familiar, how comfortable, comfortable with, are you comfortable, how confident, confident, confident about, how well do you know/understand, how sure, sure about, do you understand, you understand, do you get, have you got, ring a bell, "
    "rings a bell, rings any bells, ring any bells, mean anything to you, means anything to you, say anything to you, know what, know how, know why, know about, already know, do you feel you, feel about, feel okay/ok/good/sure/confident about, how do you feel about, "
    "have you learned/learnt, did you learn, did you have, have you had, have you done, have you studied, have you seen, are you okay/ok/fine/happy with, you okay with, ok with, are you clear, clear on, clear about, is it clear what, is it clear "
    "how, is it clear why, shall i explain, should i explain, want me to explain, do you need me, do i need to explain, need to go over, would it help if, you aware, are you aware, aware of, new to you, heard the word/term, know the word/term, seen before, used to, at home with, how is your, hows your, "
    "could you say you know, would you say you know/understand, know much about, know anything about, much about, how much do you know about, what do you know about, tell me what you know about, ever wondered, idea what, any idea what, grasp, have a grasp, you good with, good with, solid on, shaky on, rusty, familiar to you, acquainted, acquainted with, get what, understand what/how/why",
    # testing
    "quiz": "what will happen, what would you get, what do we get, what do you get, what will you, what will we, what would we, what would be, what would the, "
    "what must, what should happen, what might, what could, what can you say, what can we say, what can we, what follows, what changes, what causes, what "
    "determines, what kind of, which is, which of these, which of the two, which way, which would, which will, which has, which do you think, who is "
    "right, who would, who has, is it true, is that true, is it possible, is it more, is it less, would it, would they, will it, will they, does it, does "
    "the, do the, do they, did the, can a, can the, can it, could a, could it, should the, should it, how does, how would, how will, how many, how much, "
    "how far, how fast, how big, how often, how strongly, how likely, why wont, why wouldnt, why didnt, why not, why must, why should, why on earth, "
    "suppose you, spot the, figure out, work out, reckon, do you reckon, your answer, whats your answer, what is your answer, have a go, give it a go, see "
    "if you can, lets see if, lets see whether, i want you to, id like you to, i would like you to, now your turn, over to you, your task, task for you, a "
    "challenge, challenge for you, little challenge, brain teaser, brainteaser, test yourself, lets test, time for a, heres one, try to explain, try "
    "explaining, try and explain, try to say, in one sentence, in a sentence, in your words, with your own words, own words, put it in your, put into "
    "your, how would you explain, how would you describe, how would you put, explain it, explain to a, tell me how, tell me the, say it in, say how, what "
    "evidence, what reason, for what reason, give a reason, give me a reason, give me one, name the, list the, multiple choice, which answer, correct "
    "answer, right or wrong, yes or no, agree or disagree, i wonder what, i wonder why, i wonder how, i wonder whether, think about this, ask yourself, "
    "lets check, quick test, mini quiz, mini test, a quiz, another question, next question, ask you this, let me ask, let me ask you, i ask you, may i ask, "
    "what would happen, what happens, what do you think, what do you expect, what would you expect, do you think, would you say, would you expect, can you explain, could you explain, explain to me, explain "
    "back, explain why, explain how, explain what, explain in your own, explain it/this/that back, in your own words, your own words, can you tell me, could you tell me, tell me why, tell me how, tell me what, tell me "
    "which, tell me whether, tell me if, can you say, can you describe, could you describe, describe, predict, your prediction, your guess, guess, take a guess, make a guess, quick question, quick quiz, quiz, pop quiz, test, little test, let me test, let me "
    "check, quick check, to check, question for you, heres a question, here is a question, try this, try this one, riddle, a puzzle, which of, which one, true or false, why do you think, why does, why do, why is, why are, how come, how would you, "
    "what is the difference, whats the difference, difference between, can you give, give me an, give an example, name one, name two, name a, calculate, work out, compute, how many, how much would, how long would, "
    "what if, decide, your turn, now you, can you work out, what is, whats, what are, what does, what did, who, when would, where would, where does, why would, why did, why might, why can, why cant, why doesnt, why dont, why isnt, how does, how do, how can, how could, how is, "
    "explain, say why, say what, tell apart, finish the sentence, complete the sentence, fill in, summarise/summarize for me, teach me, teach it back, say it back, walk me through, talk me through, show me, convince me, justify",
    "rhetoric": "because, its because, it is because, the reason, the reason is, the answer is, the answer, well",
    # mistakes
    "mistake": "a lot of folks, lots of folks, many folks, most folks, some folks, folks think, folks believe, folks often, plenty of people, plenty of folks, loads "
    "of people, so many people, a lot of people, lots of people, many people, most people, many students, most students, students often, students think, "
    "learners often, beginners often, people often, people say, people tell, people imagine, everyone thinks, everyone believes, everyone assumes, "
    "everybody believes, everybody assumes, nearly everyone, almost everyone, almost everybody, nearly everybody, it is often "
    "thought/said/believed/assumed/claimed, its often thought/said/believed/assumed/claimed, often hear, you often hear, you may hear, you may have heard, "
    "you might have heard, you will hear, you may think, you may well think, you could think, you might well think, you might be thinking, you may be "
    "thinking, youd be forgiven, forgiven for thinking, easily think, easily believe, common belief, commonly held, common idea, common view, common "
    "assumption, common confusion, common trap, common error, common mix up, classic mistake, classic error, classic mix up, classic trap, classic "
    "misconception, classic misunderstanding, frequent mistake, frequent error, typical mistake, typical error, typical misconception, popular "
    "misconception, popular myth, popular mistake, widespread belief, widespread mistake, widespread idea, widespread myth, old wives tale, urban legend, "
    "fairy tale, rumour, rumor, fallacy, the fallacy, delusion, misbelief, misapprehension, wrong idea, false idea, false belief, mistaken belief, "
    "mistaken idea, mistake to think, mistake to believe, mistake to assume, wrong to think, wrong to say, wrong to believe, wrong to assume, error to "
    "think, error to assume, dont fall, dont believe, dont think that, dont assume, do not think that, do not assume, do not believe, dont be fooled, dont "
    "mix up, not to be confused, never believe, never assume, let me stop you, stop you there, push back, let me push, let me clear, clear up, clear this "
    "up, clearing up, correct a, correct one thing, correct something, correct this, let me fix, fix a, fix one, put right, put that right, set you right, "
    "set things straight, straighten out, straighten that, i have to disagree, have to correct, must correct, need to correct, need to fix, need to clear, "
    "i have to say no, thats where, here is where people, where people trip, trips people, trip people, trips up, where many go wrong, where you went "
    "wrong, slipped, slip up, mix-up, the mix up, shouldnt think, should not think, isnt how it works, not how it works, doesnt work that way, doesnt work "
    "like that, does not work that way, does not work like that, not work like that, isnt how, isnt what, simply isnt, just isnt, simply untrue, plain "
    "wrong, just wrong, simply wrong, totally wrong, completely wrong, quite wrong, wrong way round, quite the reverse, other way about, back to front, "
    "only half true, half true, half right, half the truth, half the story, partly right, partly true, only partly, not entirely true, not entirely right, "
    "not strictly true, not strictly, sounds right, sounds convincing, sounds natural, sounds true, sounds sensible, sounds obvious, looks right, looks "
    "logical, seems as though, seems right, seems sensible, seems reasonable, seems plausible, may seem, might seem, feels right, feels natural, feels "
    "obvious, feels like it should, an understandable, natural to think, natural to assume, natural to believe, natural assumption, reasonable to think, "
    "reasonable guess, good guess but, nice try but, good try but, close but, almost but, nearly but, not quite there, i understand why you, i see why "
    "you, i get why you, i know why you, i can see why, i see where, i see how you, i understand how you, i know it looks, i know it seems, i know it "
    "sounds, i know it feels, i used to think, i once thought, i thought so too, you were taught, you were told, you learned that, you learnt that, youve "
    "heard, you heard, you believed, you assumed, you assume, you claim, you claimed, you wrote, you suggested, you suggest, your idea that, your belief, "
    "your claim, your assumption, the idea that, the belief that, the notion that, the notion, this notion, that notion, this idea that, the claim that, "
    "the assumption, assumption that, belief that, thought that, think that because, on the contrary, in contrast to what, against what, opposed to what, "
    "unlike what you, whatever people say, whatever they say, no matter what, isnt because, is not because, not due to, forget that, forget what, scratch "
    "that, unlearn, bust, lets bust, myth buster, mythbuster, debunking, debunked, dispel, reality check, truth be told, as it happens, as a matter of "
    "fact, if that were, if that was, if it were true, if this were, were it true, im afraid not, afraid not, afraid thats, afraid that is, afraid its, "
    "well not, actually not, never true, "
    "common mistake, common misconception, common error, misconception, misconceptions, a myth, its a myth, the myth, mistaken, misunderstanding, "
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
    "denial": "in truth, in actual fact, nonetheless, nevertheless, by no means, nowhere near, you hear, legend, illusion, dont let, go wrong, goes wrong, slip, not "
    "the same as, not the same thing, mustnt, not how, that isnt, thats not, that is not, this isnt, this is not, its not, it is not, it isnt, simply not, "
    "just not, backwards, upside down, not entirely, not completely, not always true, not necessarily, looks like it, looks as if, looks as though, seems "
    "like, seems as if, seem, may look, might look, understandable, idea that, contrary, as opposed to, and not, but not, does not mean, doesnt mean, not "
    "mean that, doesnt make, does not make, doesnt follow, does not follow, nothing to do with, has nothing to do, rid of, get rid of, forget about, throw "
    "out, throw away, abandon, reality is, the reality, then why, would mean that, sorry but, nope, nuh uh, nah, hmm no, um no, er no, erm no, ah no, oh "
    "no, no no, no way, no its, no it, no the, no a, no that, no thats, no there, no because, no you, no they, no not, "
    "wrong, incorrect, false, the opposite, quite the opposite, the reverse, not because, unlike what, you said, you say, you told me, you mentioned, "
    "confusing, confuse, confused, careful, be careful, watch out, sounds like it, but no, no actually, actually no, well no, well actually, actually, in "
    "fact, in reality, in truth, the truth is, truth is, not really, rather than, instead of, let me correct, correction, clear up, not so, not at all, "
    "far from, trap, intuition, intuitive, there is a catch, not exactly, disagree, hold on, hang on, wait a moment, it seems, it sounds, surprisingly, "
    "mistake, youd think, you would think, other way round, other way around, its easy to, despite what, believe it or not, not quite, not right, isnt "
    "right, mixing up, mix up, not correct, isnt correct",
    # the whole
    "recap": "quick summary, short summary, brief summary, a summary, in sum, to review what, lets gather, gather up, story so far, where we stand, lets retrace, "
    "retrace, step back and look, look at the whole, bottom line, tldr, tl dr, the upshot, upshot, now we have, now we know, now weve, we now know, we now "
    "have, we now see, we have now, weve now, we know now, we saw that, we looked at, weve looked at, we have looked at, we discussed, weve discussed, we "
    "have discussed, we have talked, weve talked, we went through, weve gone through, we have gone through, weve been through, gone over, we went over, "
    "weve gone over, we have gone over, we have established, weve established, we established, we have met, weve met, we have built, weve built, pieces "
    "together, put the pieces, all the pieces, pieces of the puzzle, put the parts, everything together, everything weve, everything we have, everything "
    "we, all we have, all that weve, all weve, all of this together, all this together, all of that together, string together, one after the other, lets "
    "thread, remember what we, remember these, remember three, key ideas, main ideas, core ideas, big ideas, key things, main things, lets go over, lets "
    "go back over, let me go over, go over what, run through, lets run through, quick run, rundown, rapid recap, mini recap, recap time, summary time, "
    "from beginning to end, start to finish, what did we learn, what we learned, what we learnt, what have we, what you have learned, what youve learned, "
    "what youve learnt, so in total, all things considered, connect them, connect these, connecting the dots, joined up, it all fits, it all comes, all "
    "comes together, wrapping up so far, to wrap up what, "
    "to sum up, sum up, summing up, sum it up, sums up, sum things up, in summary, summary, summarise, summarize, to summarise, to summarize, summarising, summarizing, recap, to recap, lets recap, quick recap, "
    "recapping, recapitulate, to review, lets review, reviewing, review, putting it together, put it together, putting it all together, put it all together, put everything together, putting everything together, all together, taken together, pulling it together, pull it all together, in "
    "conclusion, to conclude, so far we, so far weve, so far you, so far youve, we have seen, weve seen, we have learned/learnt/covered/seen, weve learned/learnt/covered, we learned, we covered, we talked about, what we have, what weve, you have learned/learnt, "
    "youve learned/learnt, you now know, now you know, all in all, big picture, the whole picture, whole story, look back, looking back, lets look back, going back over, go over everything, go over it all, go back over, once more from the top, main points, key points, "
    "key takeaways, takeaways, takeaway, the three ideas, the four ideas, the five ideas, bring it together, bringing it together, bring it all together, tie it together, tie it all together, tying it together, tying it all together, wrapping up what, in a nutshell then, remember the main, from start to finish, from the top, connect the dots, the whole chain, join the dots, long story short",
    "close": "thats everything, that is everything, thats the lot, thats our time, our time is up, times up, time is up, out of time, run out of time, we can stop, "
    "we can finish, lets stop, lets finish, lets end, lets call, lets leave, lets wrap, i will leave you, ill leave you, leave you with, leave you there, "
    "you may go, you are free to go, youre free to go, cheers bye, ta ta, toodle pip, ciao, adios, peace out, laters, see you around, see you soon, see "
    "you later, see you next, see you tomorrow, cu, ttyl, gotta go, ive got to go, i have to go, have a lovely, good night, goodnight, nice evening, till "
    "next, until tomorrow, until we, come back anytime, feel free to come, thanks for today, thank you for today, thanks for learning, thank you for "
    "learning, thanks for coming, thank you for coming, thanks for joining, thank you for joining, thanks for being, thank you for being, thank you for "
    "studying, enjoyed teaching, enjoyed our, loved teaching, it was fun, it was lovely, was lovely, was great working, great working, nice working, end "
    "of session, end the session, session is over, session over, end here, lesson finished, lesson complete, lesson done, finished the lesson, you "
    "completed, you have completed, mission accomplished, all done, we made it, we have finished, weve finished, thats a wrap, its a wrap, best wishes, "
    "keep well, stay well, thats me done, nothing else to, nothing left to, done and dusted, "
    "goodbye, good bye, bye, bye bye, see you, see ya, farewell, that is all for today, thats all for today, that is all for now, thats all for now, all for today, thats all, that is all, thats it for today, that is it for today, thats it for now, that is it, "
    "end of the lesson, end of our lesson, end the lesson, end our lesson, finish here, stop here, leave it here, leave it there, leave it at that, we are done, were done, we are finished, were finished, done for today, done here, finished for today, wrap up here, wrap up the lesson, wrap it up, wrap up our, wrap things up, "
    "until next time, next time, have a nice/great/good/lovely/wonderful day, have a nice/great/good/lovely/wonderful one/evening/weekend, take care, good luck, all the best, enough for today, enough for now, "
    "concludes, concludes our lesson, that concludes, this concludes, brings us to the end, come to the end, reached the end, weve reached the end, class dismissed, lesson over, lesson is over, call it a day, thanks for your time, thank you for your time, thanks for your attention, thank you for your attention, thank you for listening, thanks for listening, was a pleasure, been a pleasure, pleasure "
    "teaching you, lesson ends, ends our lesson, ends the lesson, nothing more to, finish for today, finish there, finish the lesson, stop there, cheerio, catch you later, talk soon, later then, off you go, signing off, enjoy your day, enjoy the rest of, youre all set, you are all set",
    # manners
    "encourage": "no stupid questions, no stress, no pressure, time in the world, no hurry, stupid question, it is okay to, its okay to, its ok to, take all the time, no need to be, gets stuck, get stuck here, "
    "sell yourself, underestimate, bit by bit, little by little, can see you, "
    "learn from mistakes, how we learn, part of learning, perfectly normal, quite normal, keep that up, thumbs up, cheer up, never "
    "mind, be kind to yourself, hang on in, youre doing, you are doing, you did well, you did great, you did very well, you did it, you made it, you can "
    "be, you have learned a lot, learned so much, learnt so much, learnt a lot, well thought, clear thinking, "
    "good instinct, good instincts, right instinct, right idea, the right idea, nearly right, almost right, really well, very well done, "
    "keep pushing, keep asking, keep practising, practice makes, good eye, good ear, sharp eye, top job, top work, ace, aced it, "
    "star pupil, like a nailing it, knack, the knack, go you, good on you, look at you, "
    "youre smart, you are smart, keep trying, chin up, you rock, crushing it, killing it, smashing it, smashed it, nice one, top marks, full marks, gold "
    "ten out of ten, knew you could, i knew you, look how far, mistakes help, everyone makes mistakes, every rome wasnt, it will come, itll "
    "come, breathe, deep breath, dont panic, dont be discouraged, dont be afraid, dont feel bad, dont beat, dont stress, dont sweat, no pressure, have "
    "confidence, be brave, your instincts, your instinct, your intuition is, a knack, talented, gifted, rockstar, hooray, hurray, woohoo, keep at "
    "it, keep this up, stick with, stick at, carry on like, go on like, working hard, love how, like how, much better, better and better, "
    "coming along, coming on, shaping up, grasped, got the hang, getting the hang, hang of it, getting it, almost got, nearly got, half way there, halfway "
    "there, on to something, have what it takes, what it takes, up to it, can manage, can handle, no doubt you, confident you, "
    "confident that you, faith in, rooting for, proud, pleased with, happy with your, thrilled, a pleasure to, great student, "
    "good student, excellent student, best student, great learner, good learner, insightful, deep thinking, "
    "sharp thinking, solid answer, solid reasoning, strong work, good stuff, great stuff, way ahead, better than most, not bad at all, far better, more "
    "than enough, give yourself credit, "
    "really good at, good at this, very good at, i really like, really like how, you clearly, you obviously, understand more than, know more than, better than you, what a that was you are really, youre really, youre so, im impressed, proud, great going, good going, strong answer, you can do this, amazing work, wonderful work, well explained, beautifully explained, you explained, thats brilliant, that was brilliant, that was great, that was excellent, excellent thinking, what progress, come a long way, good for you, congratulations, congrats, kudos, props, lovely work, lovely job, brilliant work, brilliant job, excellent job, fantastic job, amazing job, super job, nicely done, nicely explained, very well done, stay curious, curiosity, trust your, dont be shy, no reason to be shy, be proud, more than you think, tricky for, finds this hard, finds it hard, find this hard, find it hard, finds this tricky, finds it tricky, patient with yourself, well done, good job, great job, nice job, nice work, good work, great work, excellent work, fantastic work, wonderful job, amazing job, you are doing, youre doing, doing great, doing well, doing really/very well, doing fine, doing "
    "brilliantly, doing fantastic, keep it up, keep going, you can do, you can do it, youve got this, you got this, you have got this, proud of you, impressed, impressive, i like how you, i love how you, love your, like your thinking, great thinking, good "
    "thinking, nice thinking, you are smart, youre smart, you are a superstar, dont worry, no worries, dont be afraid, not to worry, dont give up, stay with it, hang in there, almost there, nearly there, youre close, you are close, very close, so close, getting there, youre getting there, on the right track, right track, good progress, great "
    "progress, making progress, real progress, thats progress, you know more, you do know, you really do know, you do understand, you really understand, you have understood, youve understood, youve got it, you have got it, you got it, you know this, you already know more, trust yourself, be confident, believe in yourself, more confident, "
    "i believe in you, good nice try, good try, great try, good attempt, great attempt, great great question, good question, excellent question, brilliant question, bravo, hats off, way to go, thats the spirit, nailed it, you nailed, you aced, "
    "great answer, good answer, excellent answer, perfect answer, brilliant answer, thats a great, thats a good, what a great, what a good, lovely answer, nicely put, well put, well said, beautifully put, well reasoned, good reasoning, great reasoning, quick learner, fast learner, learning fast, learning quickly, "
    "couldnt have said, better than you think, you have it, you can be proud, can be proud, should be proud, well spotted, good point, great point, excellent point, give yourself, pat on the back, high five, no need to worry, its normal, it is normal, its hard, everyone struggles, everybody struggles, happens to everyone, take your time, no shame, thats okay, thats ok, that is okay, you were right, excellent work, superb, take heart, youll get, you will get, youll manage, youll soon",
    "ack": "got you, thats fine, that is fine, thats okay, no worries, not a problem, my bad, my mistake, my fault, apologize, apologise, i apologise, i "
    "apologize, forgive me, pardon me, sorry about, sorry for, sorry to hear, thats fair, that is fair, point taken, i take your point, appreciate, i "
    "appreciate, much appreciated, cheers, thx, duly noted, copy that, message received, good to hear, great to know, nice to know, helpful to know, "
    "useful to know, thats helpful, that is helpful, thats useful, that is useful, thats good, that is good, thats great, that is great, thats nice, that "
    "is nice, thats interesting, how interesting, thats understandable, that is understandable, that makes sense, totally fair, totally get, thats true, "
    "that is true, very true, so true, quite so, correct answer, yup, yes indeed, indeed yes, thats the one, that is the one, thats exactly, that is "
    "exactly, right you are, many thanks, very kind, rightio, righto, okey dokey, okey, okie, oki, kk, good good, ah okay, ah ok, oh okay, oh ok, ah i "
    "see, oh i see, ah right, oh right, ah good, oh good, ah nice, oh nice, oh dear, poor you, what a pity, thats a pity, thats a shame, bless you, "
    "i see, got it, okay, ok, alright, all right, right, sure, of course, thanks, thank you, thank you for, thanks for, understood, i understand, noted, fine, good, great, perfect, excellent, wonderful, lovely, nice, cool, super, fantastic, amazing, brilliant, "
    "awesome, yes, yeah, yep, exactly, correct, precisely so, thats right, that is right, thats correct, that is correct, absolutely, indeed, very good, very well, fair enough, good to know, that helps, sorry, im sorry, i am sorry, my apologies, apologies, "
    "no problem, makes sense, i hear you, happy to, glad, glad to hear, interesting, aha, ah, oh, hmm, mhm, uh huh, fair point, quite right, spot on, right answer, exactly right, thats it exactly, true, welcome back, you are right, youre right, totally, certainly, bingo, great to hear, good to hear, nice to hear, sounds good, "
    "glad you, im glad, pleased to hear, great stuff, good stuff, splendid, marvellous, terrific, no worries then, as you wish, as you like, i get it, i get that, get you, gotcha, roger",
    "greet": "hiya, heya, hey you, hullo, heyo, g day, gday, dear student, dear learner, hello dear, welcome aboard, im so glad, so glad you, delighted to meet, "
    "delighted to have, happy to meet, happy to have you, pleased to have, glad to have, honour to, ready to learn, ready to start, ready to begin, thanks "
    "for joining me, thank you for joining me, how do you do, nice having you, it is a pleasure to meet, pleasure to meet, looking forward to teaching, i "
    "am happy to teach, ill be teaching, i will be teaching, ill teach you, i will teach you, be your guide, be your tutor, teacher here, introduce "
    "myself, allow me to introduce, "
    "hello, hi, hey, hi there, hey there, hello there, good morning, good afternoon, good evening, good day, welcome, welcome to, greetings, nice to meet, great to meet, lovely to meet, pleased to meet, nice to see, great to see, good to see, howdy, my name is, im your teacher, i am your teacher, i will be your teacher, "
    "ill be your teacher, your teacher today, your tutor, i am your tutor, im your tutor, im here to help, i am here to help, salutations, glad youre here, glad you are here, how are you, how are you today, how are you doing today",
    "refuse": "im gonna pass, going to pass, no can do, must decline, have to stop, have to say no, ive to decline, find another teacher, find somebody else, find "
    "someone else, ask someone else, ask somebody else, somebody else can, wont be teaching, wont be able, will not be able, im unable, i am unable, not "
    "in a position, cant discuss, cannot discuss, cant go into, cannot go into, cant talk about, cannot talk about, cant provide, cannot provide, cant "
    "give, cannot give, cannot tell you, wont explain, wont teach, wont help, wont answer, wont discuss, wont continue, wont be doing, wont be going, will "
    "not explain, will not teach, will not help, will not answer, will not discuss, will not continue, not going to do, im not gonna, my guidelines, out "
    "of scope, not qualified, do it yourself, google it, figure it out yourself, dont have time, have no time, prefer not, id prefer not, i prefer not, "
    "would prefer not, not willing, unwilling, dont wish, do not wish, dont think i should, dont think i can, do not think i can, not something i, isnt "
    "something i, is not something i, outside what i, count me out, leave me out, not permitted to, im not allowed, i am not allowed, sorry i cant, afraid "
    "i cant, afraid i cannot, afraid i wont, i dont do, i do not do, dont teach, do not teach, dont explain, do not explain, dont help, do not help, never "
    "teach, wont go there, let me out, rather talk about something, change the subject, "
    "i cant help, i cannot help, cant help you, cannot help you, unable to help, not able to help, i wont, i refuse, i will not, i cant do that, i cannot do that, cant teach, cannot teach, cant explain, cannot explain, unable to explain, unable "
    "to assist, cannot assist, cant assist, not able to assist, not able to explain, not able to teach, as an ai, language model, rather not, id rather not, i would rather not, dont feel like, do not feel like, not my job, outside my, outside of my, beyond my, not allowed, not permitted, i decline, i must decline, have to decline, cant answer, cannot answer, unable to answer, unable to teach, i dont teach, not "
    "going to explain, not going to teach, not going to help, not going to answer, dont want to teach, dont want to explain, not something i can, no longer able, cant continue, cannot continue, unable to continue",
    "plan": "lets get going, lets get into, lets go through, lets go over, lets see how, lets see why, lets turn to, lets move, lets now, lets tackle, lets take, "
    "let us now, let us see, let us turn, let us move, let us go, let us consider, we will look, well look, we will see, well see, we will go, well go, we "
    "will talk, well talk, we will discuss, well discuss, we will move, well move, we will get, well get, ill show, i will show, ill tell, i will tell, "
    "ill walk, i will walk, ill take you, ill start, ill begin, i will begin, ill now, i will now, i am now, im now, im going, i am going to, going to "
    "explain, going to show, going to tell, we are going, were going, we have five, we have four, we have six, we have seven, this course, todays subject, "
    "todays concept, topic today, on the agenda, our plan, plan for today, plan is, there are several, there are a few, several ideas, a few ideas, coming "
    "up, up next, first idea, second idea, third idea, next idea, last idea, final idea, give me a moment, hold that thought, more on that, more about "
    "that, with regard to, on the subject, speaking of, now about, then about, here we go, off we go, ready set, "
    "lets talk about, let us talk about, talk about, lets start, let us start, lets begin, let us begin, we will start, well start, we start, ill start, i will start, start with, begin with, start by, lets look at, let us look at, look at, "
    "lets move on, let us move on, move on to, moving on, moving on to, next up, next is, next comes, next topic, next we, turn to, lets turn, now to, now for, on to, onto, lets go, lets go on, lets go to, go on to, lets dive, dive into, lets discuss, discuss, lets explore, explore, "
    "i will explain, ill explain, let me explain, let me compare, let me test, let me take, let me use, let me tell, let me show, let us take, i would like to explain, id like to explain, i want to explain, im going to explain, i am going to explain, going to talk, going to learn, going to look, going to cover, going to teach, will cover, "
    "we will cover, well cover, will learn, well learn, will talk about, will teach, today we, todays lesson, todays topic, our topic, the topic, lesson, this lesson, our lesson, lets get to, get to, get started, lets get started, have five, here is another, heres another, another way, let me try, let me put, put it, try again, let me give, ill give, i will give, give you, "
    "here is how, heres how, here is the, heres the, here is a, heres a, here is an, heres an, lets see, we come back, come back to, back to, later on, after that, first of all, first up, before we, lets take a step back, step back, there are four, there are five, there are six, there are seven, four ideas, five ideas, six ideas, seven ideas",
}
"""Kind of cue -> its phrases, comma-separated. Kinds do not exclude each other: a phrase may stand under several."""

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
