"""The words by which agents ask, propose, acknowledge, check, greet, refuse: frames of acts, as data.

Written in the notation of :mod:`~dialog_envs.tasks.language.phrases`. Kinds of cue, by what they do to
the clause that they stand in, are explained in :mod:`~dialog_envs.tasks.preference.language.understanding`.
"""

from __future__ import annotations

from functools import lru_cache

from ...language.phrases import Phrases, Trie, build
from ...language.phrases import trie as tree
from ...language.words import COMMON_WORDS, FILLERS, OPENERS, SMALL, SUBJECTS
from . import lexicon

_IT = "that/this/it/these/those/they/them"
_THAT = "that/this/these/those/they/them"
_SUITS = (
    "sound/sounds/work/works/suit/fit/interest/appeal/match/feel/look/help/seem/meet/make/satisfy/tempt/do/tick/cover/please/go/come/"
    "strike/answer/solve/hit/agree/excite/speak/suits/sit/grab/float/tickle/take/catch/have"
)

CUES: dict[str, str] = {
    "open": "looking for, make your day, like/want/wish/care to add, like/want/wish/care to share, like/want/wish/care to tell, what are you up for, what you up for, search, searching for, seeking, seek, what can i help, how can i help, how may i help, how can i assist, how may i assist, how could i help, what can i do, can i help you with, anything else, anything more, anything you want to add, anything to add, to consider, on your mind, your dream, fancy doing, up to, youre looking for, you are looking for, wish for, want from, need from, like from, makes you happy, what sounds fun, what would be fun, rock your, your day, your wants, want most, tell me everything, main thing, number one thing, what do you hope, in mind, matters/matter, important to you, most important, most to you, ideal day/outing/activity/trip/experience, feel like, in the mood, "
    "mood for, what do you want, what would you like, what you like, what you want, "
    "tell me about yourself, about you, about yourself, your preferences, preferences, preference, any preference/preferences, help you, "
    "assist you, priorities, priority, what brings you, what are you after, what you are after, youre after, hoping for, hope to, hoping to, what would make, "
    "wish, wishes, describe, must have, must haves, do for you, what do you like, want to do, your plans, your tastes, "
    "tastes, taste, what counts, be of help, your wishes, expect from, expectations, dream, what kind of day, what you need, "
    "perfect day/outing/afternoon/activity, get out of, looking forward to, what do you fancy, do you enjoy, you enjoy, you enjoy most, your ideal, priority for you, what do you need, "
    "anything specific, anything in particular, something specific, something in particular, special requests, care about, "
    "care most about, matters most, matter most, what else, anything else i should know, get a sense of, more about what, good time, what makes",
    "ind": "be good/helpful/useful/great/nice/handy/interesting/important to know/hear/learn/understand, glad/happy/keen/love/like/interested to know/hear/learn, should/must/need/want/have/like to? ask, dont think you, ask about, ask you, ask what/how/if/whether/which, tell me, let me know, id like to know, i would like to know, i wonder, im wondering, i was wondering, was wondering, wondering, "
    "curious, could/can/would you tell, could/can/would you share, please share, share, it would help, it helps to know, would help me, "
    "i need to know, i want to know, id love to know, i would love to know, i have to ask, let me ask, id ask, mind sharing, mind telling, "
    "mind me asking, may/can/could/might i ask, remind me, specify, clarify, say whether, say if, help me understand, "
    "give me an idea, give me a sense, give me a hint, interested to know, describe, not sure if you, not sure whether you, "
    "to know, to hear, hear about, want to check, just checking, wanted to ask, a word on, need to understand, learn, find out, "
    "fill me in, talk me through, walk me through, state your, please state, please tell, please specify, give me your, understand your, "
    "understand what, understand how, understand whether, understand if, dont know if you, dont know whether you, dont know how, "
    "dont know what, let us talk about, lets talk about, talk about, lets start with, lets begin with, lets discuss, next question",
    "offer": "suggest, suggesting, suggests, recommend, recommending, recommendation, recommendations, suggestion, suggestions, propose, proposal, proposals, option, options, choice, choices, alternative, alternatives, idea, ideas, pick, picks, my pick, my top, candidates, candidate, shortlist, i found, ive found, i have found, found something, something that might, just the thing, best match, best matches, matches, match for you, top, nominee, my choice, my vote, winner, winners, advise, advice, contenders",
    "prop": "i believe, leave without, cant miss, cannot miss, dont miss, do not miss, cant go wrong, wont regret, hear me out, picture this, imagine, what you say about, go there, say, allow me, what would you say to, kindly, vote, well, how about, what about, try, trying, you could, "
    "you might, why not, why dont you/we, lets, let us, consider, considered, considering, go for, going for, go with, going with, "
    "opt for, check out, checking out, head to, head over to, heading to, choose, would you like, would you enjoy, would you love, "
    "would you be interested, are you interested in, interested in, would you fancy, fancy, does, thought about, heard of, thought of, i think, id say, "
    "take a look, look at, instead, go to, id go, youll love, you will love, youd love, you would love, youd like, youd enjoy, "
    "youll enjoy, you would enjoy, you will enjoy, you would like, you may like, you may enjoy, alternatively, would you consider, would you rather, shall we, "
    "you should, best bet, what do you think of, what do you think about, feel about, "
    "tempt you, interest you in, could i interest you, how does, how do, how would, would, do you like, maybe, perhaps, possibly, "
    "could, might, should, may, settle on, book, booking, open to, keen on, up for, want to try, like to try, give, visit, visiting, "
    "join, vote for, what if, do you want, you want to, favourite, favorite, sounds, sound, "
    "offer you, answer is, say to, either, in which case, "
    "then there is, theres also, there is also, prefer, or else, one more, another, final, happy with, okay with, ok with, satisfied with, like the sound of",
    "against": "not recommend, wouldnt recommend, would not recommend, dont recommend, isnt for you, is not for you, not suitable, unsuitable, isnt suitable, isnt ideal, not ideal, isnt right, not the right, skip, rule out, ruled out, not that one, wont work, doesnt fit, does not fit, wouldnt work, would not work, not an option, off the table, is out, are out, is closed, sold out, fully booked, unavailable, not available, isnt available, not for people, not for those, would not suit, wouldnt suit, cannot recommend, cant recommend, should avoid, better avoid, leave out, leaving out, not a good/great, isnt a good/great, out of your budget, beyond your budget, over your budget, above your budget, out of the question, drop the, forget the, forget about",
    "exist": "theres, there is, we have, i have, ive got, i have got, weve got, its, it is, this is, that is, you have, youve got, comes to mind, comes to my mind, springs to mind, there is always, theres always",
    "eval": "have a blast, have a great time, have fun at, goes hard, slaps, lit, fire, banger, dope, rocks, bomb, the bomb, delight, treat, spot on, cracking, unforgettable, magical, memorable, special, stunning, incredible, hit, nicely, perfect, ideal, great, good, excellent, wonderful, best, suit, suits, love, enjoy, worth, fits, fit, fun, amazing, fantastic, "
    "lovely, right up your alley/street, for you, not to miss, must see, must do, gem, unmissable, ticks, tick, match, work, well suited, "
    "meets, exactly what, just what, highly rated, recommended, up your street/alley, brilliant, beautiful, superb, nice",
    "fact": "costs, cost, is, are, was, lasts, last, takes, has, have, offers, offer, lists, list, has got, belongs, speak, speaks, includes, include, features, starts, opens, closes, located, runs, "
    "comes, involves, requires, begins, sits, stands, happens, charges, dates, gets, get, vary, varies, doesnt, does not, dont, do not, can, cant, cannot, will, wont, youll, there are, goes, means, needs, requires, take place, run, close, close at, open, rain, rains, start, end, stay, remain, remains, stays, contain, contains, provides, provide, uses, follows, leads, ends, departs, meets at, meet at, booked, available, located, taking, takes place, takes, suits, theyre, they are, isnt, arent, most, many, some, all, every, each, allows, gets, serves, wheelchair accessible, ends, welcomes",
    "hear": "did you know, fun fact, just so you know, for your information, fyi, by the way, keep in mind, note that, be aware",
    "check": f"does/do/would/will/did/could/can {_THAT} {_SUITS}, how does/do/would/did/is/are {_THAT} {_SUITS}?, hows {_THAT} {_SUITS}?, "
    f"how do you like/find {_IT}, how do you feel about {_THAT}, what do you think of/about {_IT}, what do you say to {_THAT}, "
    f"are you happy/satisfied/pleased/content/okay/ok/good/fine/comfortable with {_THAT}, happy/ok/okay/good/satisfied/pleased/content/cool/fine with {_THAT}, "
    f"would you like/enjoy/love/fancy/want/prefer {_THAT}, would you like/be to? go for {_THAT}, do you like/want/fancy/love/enjoy {_THAT}, "
    f"is/are/was {_THAT} ok/okay/good/fine/alright/right/acceptable/suitable/better/satisfactory/enough/correct/helpful/interesting/appealing/fun/nice/great/perfect/agreeable/cool/attractive/tempting, "
    f"is/are/was {_THAT} what/something/a/an/to/more/the/any/close/within/too/clear/in, would {_THAT} be, could {_THAT} be, will {_THAT} be, might {_THAT} be, "
    f"that good/ok/okay/cool/fine/alright/work/works/suit, does {_THAT}, shall/should we do/take/book/say/try {_IT}, shall/should we go with/for {_IT}, "
    f"shall/should/can/could/may i book/reserve/confirm {_IT}, would you like me to book/reserve/confirm, do you want/like me to book/reserve/confirm/arrange, want/like me to book/reserve/confirm/arrange, you would/youd like/enjoy/love/prefer {_THAT}, youd like/enjoy/love/prefer {_THAT}, "
    f"do we have a deal/winner/match, have we found, ready to book/decide/choose/commit, have you decided, made up your mind, have i found, did i get, yes or no, "
    f"up for {_THAT}, interested in {_THAT}, keen on {_THAT}, fancy {_THAT}, any of these/those/them, either of these/those/them, tempted by {_THAT}, "
    f"one of these/those/them, does/do either, am i on the right track, did i understand, are you all set, "
    f"have i understood/got/heard, understood you/correctly, did i hear, made a/your/any decision, reached a decision, how/what about {_IT}, would you go for {_IT}, did you like {_IT}, like the sound of {_THAT}, on board with {_THAT}, {_THAT} to your taste/liking/satisfaction, can you live with {_THAT}, "
    f"does everything, is everything, anything here, opinion on/of/about {_THAT}, thoughts on/about {_THAT}, think about {_THAT}, feel about {_THAT}",
    "lightcheck": f"you like it/that/this/them/these/those, you think of it/that/this/them, you feel about it/that/this/them, if it/that/this works/suits, does/do/would/will/did/could/can it {_SUITS}, is it ok/okay/good/fine/alright/right/acceptable/suitable/better/correct/what/something/a/an/too/more, "
    "would it be, how does it sound/look/feel, hows it sound/look, how is it, do you like/want/fancy it, would you like/enjoy/love/fancy/want/prefer it, "
    "are you happy/ok/okay/satisfied/pleased/fine/good with it, happy/satisfied/ok/okay with it, up for it, fancy it, keen on it, interested in it",
    "chatcheck": "are you satisfied, are you happy, are you pleased, are you convinced, are you content, works for you, work for you, suit you, suits you, appeal to you, to your liking, to your taste, okay with you, ok with you, good with you, fine with you, "
    "alright with you, good for you, ok for you, okay for you, fine for you, are we good, count you in, i go ahead, we go ahead, are you sure, convinced, tempted, settled, "
    "shall we go, shall we settle, go for it, like me to, sound/sounds good/great/ok/okay/fun/interesting/right/fine/alright/nice/appealing/acceptable/better/reasonable, "
    "sound/sounds like a plan/fun, like a plan, am i right, all set, what do you say, what you say, what say you, what would you say, good plan, good idea, a deal, a go, your cup of tea, "
    "catch your eye/interest, take your fancy, tickle your fancy, hit the spot, hits the spot, on board, your satisfaction, your approval, meet/meets your, speak/speaks to you, "
    "happy so far, interest you, strike you, do the trick, does the trick, fit the bill, fits the bill, how did i do, yay or nay, yea or nay, cup of tea, any of that, float your boat, jump out, jumps out, stand/stands out, grab you, grabs you",
    "soft": "one you like, one that you like, there you like, there that you like, ones you like, something else, something different, what you think, what you reckon, like the idea/plan/suggestion/proposal/sound, what do you think, what do you reckon, how do you feel, your thoughts, any thoughts, thoughts, your opinion, deal, interested, agree, agreed, happy, satisfied, which one, which of these/those/them, "
    "your verdict, your decision, are you interested, which do you prefer, opinions, which would you prefer, which appeals, okay, ok, good, yes, any good, keen",
    "ack": "thanks, thank you, sorry, apologies, apologise, apologize, my bad, got it, gotcha, understood, noted, got you, roger that, thank you very much, thanks a lot, many thanks",
    "nod": "its/thats/completely/totally/perfectly understandable, it/that is understandable, makes total/perfect/complete/a/much sense, i can see why/that/how/where, my mistake, its a shame/pity, it is a shame/pity, oh dear, understandable, i totally/really/completely/fully/perfectly/quite/do get/understand/see/hear/agree, no problem at all, okay, ok, right, alright, sure, yes, yeah, all right, very well, of course, certainly, absolutely, indeed, definitely, exactly, fine, aha, ah, oh, wow, hmm, "
    "i see, i understand, makes sense, that makes sense, fair enough, no worries, no problem, i hear you, good to know, my pleasure, "
    "youre welcome, you are welcome, i appreciate, appreciate, appreciated, much appreciated, congratulations, i get it, i get that, fair point, i can imagine, point taken, "
    "that helps, helpful, very helpful, dont worry, not a problem, what a pity, too bad, thats a shame, what a shame, thats a pity, what a/an, roger, "
    "sounds like you, i know the feeling, take your time, no rush at all, how/so/very nice/lovely/exciting/wonderful/interesting/kind, "
    "i know how, that must, pity, a pity, forgive me, pardon me, pardon, great/good/nice/lovely/happy/glad to hear, fair, i agree, i feel you, ill keep that in mind, i will keep that in mind, "
    "ill bear that in mind, ill remember, thats helpful/useful/clear/understandable/fair/okay/ok/alright/no, thats good/great/nice to know/hear, that is helpful/useful/clear/fine/understandable/good/great, that was helpful, "
    "sounds/sound great/good/lovely/fun/perfect/nice/wonderful/fine, that sounds great/good/lovely/fun/perfect/nice/wonderful/fine, thats great/good/lovely/fun/perfect/nice/wonderful/fine, "
    "great/good/nice/excellent/lovely/wonderful/fine choice/taste/answer/pick/question/point, never mind, totally, totally get, fully understand, i completely/totally/fully understand, i do understand, no bother, no sweat, no biggie, haha, lol, message received, loud and clear, im glad, so glad, i am glad, glad you, glad i, "
    "im with you, i follow, i gather, i take it, that clears, crystal clear, all clear, clear, say no more, copy that, we understand, we appreciate, we hear you, we apologise, we apologize, please accept, please forgive, bless you, cheers, "
    "that is a shame, that is a pity, i regret, i sympathise, i sympathize, i empathise, i empathize, it happens, dont apologise, no need to apologise, good stuff, well done, bravo, i like that, i like your, i love that, i love your, love that, love it, me too, same here, you have good, what lovely",
    "praise": "great, perfect, nice, wonderful, awesome, lovely, cool, excellent, fantastic, super, brilliant, good, amazing, splendid, interesting, marvellous, terrific, "
    "delightful, beautiful, sweet, smashing, superb, neat, magnificent, outstanding, fabulous, grand, great stuff",
    "greet": "hello, hi, hey, good morning/afternoon/evening/day, welcome, greetings, nice to meet you, pleased to meet you, "
    "hiya, howdy, hi there, hey there, hello there, great to meet you, good to see you, nice to see you, how are you, how are you doing, how is it going, hows it going, "
    "whats up, how do you do, pleasure to meet you, lovely to meet you, good to meet you, im your, i am your, my name is, how are things, hows your day",
    "close": "goodbye, bye, good bye, bye bye, see you, take care, farewell, good luck, have a? good/great/nice/lovely/wonderful/fantastic/pleasant/safe/amazing/super/beautiful "
    "day/trip/time/visit/stay/evening/weekend/journey/one/rest/holiday/afternoon/vacation, have fun, have a good/great/lovely time, enjoy your trip/day/visit/stay/time/holiday/outing/weekend/afternoon/evening/experience/activity/vacation/adventure, enjoy yourself/yourselves, "
    "until next time, it was a pleasure, its been a pleasure, was a pleasure, been a pleasure, pleasure to help/assist/talk/chat/serve, cheerio, so long, safe travels, that is all, nothing more from me, signing off, ciao, adios, talk to you later, speak soon, "
    "have a blast, bon voyage, enjoy the rest of your, have a really/very good/great/nice/lovely/wonderful/fantastic, i will leave you, ill leave you, wish you, come back any time/anytime, "
    "all the best, our conversation, end/ending our/this/the chat/conversation, until then, catch you later, see ya, im off, i am off, must go, must dash, gotta go, have to go now, i bid you, bid you, pleasure serving you, pleasure helping you, pleasure assisting you, pleasure chatting, leave it there, wrap up, that concludes, concludes, conclude, over and out, thanks for chatting, nice chatting, good talking, nice talking, peace out, ttyl, au revoir, good night, goodnight, see you soon, do come back",
    "refuse": "can not help/assist/do/recommend/suggest/provide/answer/give/offer/advise, be of assistance, above my pay grade, as an ai, im an ai, i am an ai, language model, i cannot/cant help/assist/do/be/provide/offer/recommend/suggest/answer/give/make/discuss/comply/fulfil/fulfill/complete/"
    "continue/support/advise/choose/decide/share/handle/respond, im unable, i am unable, dont think i can help/assist/do, do not think i can, just an ai, only an ai, dont have preferences, cant help you/ya, couldnt help, cannot be of, im not able, i am not able, not help, unable to, not able to, cannot/cant help you/with, against my, not allowed to, "
    "not permitted, my guidelines, beyond my, outside my, not comfortable, i wont, i will not, i refuse, i must decline, decline to, i have to decline, i dont have access, "
    "i dont have the ability, no access to, not programmed, not designed to, my programming, not equipped, no information on, im afraid i cant/cannot, im sorry but i cant/cannot, isnt something i can, is not something i can, "
    "not something i, not my job, do not have personal, dont have personal, wouldnt be appropriate, not appropriate, couldnt possibly, consult a, please consult, contact a, ask someone else, look it up yourself, "
    "somebody else, cant do that, cannot do that, cant assist, cannot assist, i cant, i cannot, not going to help, id rather not, i would rather not, wed rather not, id prefer not, no can do, dont have information/knowledge/recommendations/suggestions/opinions/any, do not have information/knowledge/recommendations/suggestions/any, dont give/make/offer/provide/do advice/recommendations/suggestions/that/any, do not give/make/offer/provide/do advice/recommendations/suggestions/that/any, i have no idea/information/recommendations/suggestions, i cannot possibly, not qualified, not in a position, against policy, policy",
    "restate": "were looking for, we are looking for, ill keep, i will keep, ill remember, ill take, ill consider, ill bear, ill note, ill look, i will look, ill find, i will find, ill search, you like, you want, you prefer, you need, you enjoy, you said, you mentioned, you love, you told, you are looking, youre looking, you would like, "
    "youd like, you would prefer, youd prefer, you would rather, youd rather, you are after, youre after, you dont, youre into, you are into, your preference, "
    "you have, youve, you are, youre, you do, you fancy, you can spend, you asked, you were, you hope, you feel, you value, youd love, you wanted, you only, so you, you seem, you seem to, sounds like youre, it sounds like, it seems you, your interest, your wish, your love, something, somewhere, no, not too, nothing, someone",
    "first": "ill, i will, let me, im going to, i am going to, i shall, we will, well, im looking, i am looking, ill look, i can, i have, ive, we have, weve, so",
    "ref1": "the first, first one, the 1st, 1st one, first option, first suggestion, first activity, number one, option one, option 1, number 1, former, earlier one",
    "ref2": "the second, second one, the 2nd, 2nd one, second option, second suggestion, second activity, number two, option two, option 2, number 2",
    "ref3": "the third, third one, the 3rd, 3rd one, third option, third suggestion, third activity, number three, option three, option 3, number 3",
    "ref4": "the fourth, fourth one, the 4th, number four",
    "reflast": "last one, latter, last option, final one",
    "refboth": "both, both of them, all of them, all three, both options, all of these, all of those, either one, either of them",
    "refthat": "that one, this one, that option, this option, that activity, this activity, the same one, same one, the one i mentioned, the one you mentioned, that first one, my last suggestion, my previous suggestion, the one i proposed, what you mentioned, the one before, the one i suggested, the previous one, previous one, same activity",
    "refother": "other one, the other, other option",
    "topic": "in terms of, when it comes to, regarding, as for, speaking of, with regard to, as far as, concerning, with respect to, moving on to, on the subject of, about",
    "choose": "pick one, choose one, choose from, choose between, pick from, pick between, select one, select, your pick, take your pick",
    "reason": "as i understand, while, although, though, whether, since, because, as you, given, if, considering that, seeing that, seeing as, as it, because of, due to, thanks to, based on, knowing",
    "free": "in your free time, your free time, in your spare time, your spare time, good time, the first thing, first thing, the second thing, at first, first of all, for the first time, second thing, first question, the first question, second question, feel free, free to, time of your life, great time, first time, next time, this time, at the time, any time, at a time, one at a time, each time, last time, "
    "long as, as long, no longer, so long as, i have to, you have to, have to, of course not, mind reading, by the time, in no time, "
    "art of, take care of, at least, not at all, cost you, pick you up, quick question, quick questions, quick check, quick one, short list, short answer, few quick questions, "
    "good for, easy question, easy one, easy to, steps away, next steps, next step, a step, action plan, fit for, water off, lets see, let me see, let me think, let me check, "
    "narrow things/it down, narrow down, slow down, calm down, hold on, artificial, long story short, i recommend that, that price, in the meantime, for a long time, long time, "
    "history of, keep up, small talk, small question, a bit about, find you, stay in touch, play it by ear, eat up, busy schedule, are you free, you free, free on, design for",
}
"""Kind of cue -> its phrases, comma-separated. Later kinds win where two kinds list the same phrase."""

START = frozenset("nod praise greet reason restate hear topic".split())
"""Cues that count only where a clause begins."""

_GENERAL = 8
"""The first kinds of cue yield to slots and values that share a phrase; the others win."""


@lru_cache(maxsize=1)
def table() -> Phrases:
    """Slots, values and cues in one look-up table."""
    cues = [(("cue", kind, ""), phrases) for kind, phrases in CUES.items()]
    return build([*cues[:_GENERAL], *lexicon.groups(), *cues[_GENERAL:]])


@lru_cache(maxsize=1)
def trie() -> Trie:
    """:func:`table` as a tree of words."""
    return tree(table())


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """English words that are never a typo of an activity's name, and that show a text to be English."""
    phrases = (row for rows in table().values() for row in rows)
    return COMMON_WORDS.union(*(words for _, words, _ in phrases)) | OPENERS | FILLERS | SUBJECTS | SMALL
