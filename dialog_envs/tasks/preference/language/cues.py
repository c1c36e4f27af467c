"""The words by which agents ask, propose, acknowledge, check, greet, refuse: frames of acts, as data.

Written in the notation of :mod:`~dialog_envs.tasks.preference.language.lexicon`. Kinds of cue, by what they do to
the clause that they stand in, are explained in :mod:`~dialog_envs.tasks.preference.language.understanding`.
"""

from __future__ import annotations

from functools import lru_cache

from . import lexicon

_IT = "that/this/it/these/those/they/them"

CUES: dict[str, str] = {
    "open": "looking for, in mind, matters/matter, important to you, most important, ideal day/outing/activity/trip/experience, feel like, in the mood, "
    "mood for, what do you want, what would you like, what you like, what you want, what you enjoy, enjoy doing, like doing, like to do, love to do, "
    "tell me about yourself, about you, about yourself, your preferences, preferences, preference, any preference/preferences, help you, "
    "assist you, priorities, priority, what brings you, what are you after, what you are after, youre after, hoping for, hope to, hoping to, what would make, "
    "wish, wishes, describe, must have, must haves, do for you, what do you enjoy, what do you like, want to do, your plans, your tastes, "
    "tastes, taste, what counts, be of help, your wishes, expect from, expectations, dream, what kind of day, what you need, "
    "perfect day/outing/afternoon/activity, get out of, looking forward to, what do you fancy, your ideal, priority for you, what do you need, "
    "anything specific, anything in particular, something specific, something in particular, special requests, care about, "
    "care most about, matters most, matter most, what else, anything else i should know, get a sense of, more about what, good time, what makes",
    "ind": "tell me, let me know, id like to know, i would like to know, i wonder, im wondering, i was wondering, was wondering, wondering, "
    "curious, could/can/would you tell, could/can/would you share, please share, share, it would help, it helps to know, would help me, "
    "i need to know, i want to know, id love to know, i would love to know, i have to ask, let me ask, id ask, mind sharing, mind telling, "
    "mind me asking, may/can/could/might i ask, remind me, specify, clarify, say whether, say if, help me understand, "
    "give me an idea, give me a sense, give me a hint, interested to know, describe, not sure if you, not sure whether you, "
    "to know, to hear, hear about, want to check, just checking, wanted to ask, a word on, need to understand, learn, find out, "
    "fill me in, talk me through, walk me through, state your, please state, please tell, please specify, give me your, understand your, "
    "understand what, understand how, understand whether, understand if, dont know if you, dont know whether you, dont know how, "
    "dont know what, let us talk about, lets talk about, talk about, lets start with, lets begin with, lets discuss, next question",
    "prop": "how about, what about, suggest, suggesting, recommend, recommending, recommendation, suggestion, propose, proposal, try, trying, you could, "
    "you might, why not, why dont you/we, lets, let us, consider, considered, considering, go for, going for, go with, going with, "
    "opt for, check out, checking out, head to, head over to, heading to, my pick, pick, choose, would you like, would you enjoy, would you love, "
    "would you be interested, are you interested in, interested in, would you fancy, fancy, does, thought about, heard of, thought of, i think, id say, "
    "take a look, look at, my choice, instead, go to, id go, youll love, you will love, youd love, you would love, youd like, youd enjoy, "
    "youll enjoy, you would enjoy, you will enjoy, you would like, you may like, you may enjoy, alternatively, would you consider, would you rather, shall we, "
    "you should, option, options, alternative, alternatives, best bet, idea, what do you think of, what do you think about, feel about, "
    "tempt you, interest you in, could i interest you, how does, how do, how would, would, do you like, maybe, perhaps, possibly, candidates, candidate, "
    "could, might, should, may, nominee, settle on, book, booking, open to, keen on, up for, want to try, like to try, give, visit, visiting, "
    "join, shortlist, top, my vote, vote for, what if, do you want, you want to, best match, matches, picks, favourite, favorite, sounds, sound, "
    "advise, advice, offer you, winner, answer is, say to, i found, ive found, i have found, just the thing, either, in which case, "
    "then there is, theres also, there is also, prefer, or else, one more, another, final, happy with, okay with, ok with, satisfied with, like the sound of",
    "eval": "perfect, ideal, great, good, excellent, wonderful, best, suit, suits, love, enjoy, worth, fits, fit, fun, amazing, fantastic, "
    "lovely, right up your alley/street, for you, not to miss, must see, must do, gem, unmissable, ticks, tick, match, work, well suited, "
    "meets, exactly what, just what, highly rated, recommended, up your street/alley, brilliant, beautiful, superb, nice",
    "fact": "costs, cost, is, are, was, lasts, last, takes, has, have, offers, includes, include, features, starts, opens, closes, located, runs, "
    "comes, involves, requires, begins, sits, stands, happens, charges, dates, its, theyre, allows, gets, serves, wheelchair accessible, ends, welcomes",
    "hear": "did you know, fun fact, just so you know, for your information, fyi, by the way, keep in mind, note that, be aware",
    "check": f"does/do/would/will/did/could/can {_IT} sound/sounds/work/suit/fit/interest/appeal/match/feel/look/help/seem/meet/make/satisfy/tempt/do/"
    f"tick/cover/please/go/come/strike/answer/solve/hit, how does/do/would/did/is/are/was {_IT}, hows {_IT}, how {_IT} sound/sounds, how do you like {_IT}, "
    f"how do you feel about {_IT}, what do you think of/about {_IT}, what do you say, "
    f"sound/sounds good/great/ok/okay/fun/interesting/right/fine/alright/nice/appealing, sound/sounds like a plan, "
    f"are you happy/satisfied/pleased/content/okay/ok/good/fine/comfortable with {_IT}?, happy/ok/okay/good/satisfied/pleased with {_IT}, "
    f"would you like/enjoy/love/fancy/want/prefer {_IT}, would you like/be to? go for {_IT}, do you like/want/fancy/love/enjoy {_IT}, "
    f"is/are/was {_IT} ok/okay/good/fine/alright/right/acceptable/suitable/better/satisfactory/enough/correct/helpful/interesting/appealing/fun/nice/great/perfect, "
    f"is/are/was {_IT} what/something/a/an/to/more/the/any/close/within/too/clear, is/are {_IT} good/ok/okay/fine/alright for/with/by you, would {_IT} be, could {_IT} be, "
    f"will {_IT} be, might {_IT} be, go ahead, shall/should we go, shall we do/take/book/say {_IT}, shall/should/can/could/may i book/reserve/confirm/go, "
    f"want me to book/reserve/go/confirm, would you like me to book/reserve/confirm/go, like me to, do we have a deal/winner, have we found, ready to book/decide/go/choose, "
    f"have you decided, made up your mind, have i found, did i get, yes or no, up for {_IT}, interested in {_IT}, keen on {_IT}, fancy {_IT}, any of these/those/them, either of these/those/them, "
    f"one of these/those/them, convinced, does/do either, do any, does anything here, am i on the right track, am i right, did i understand, "
    f"is everything, are you all set, all set, are you sure, are you satisfied, are you happy, are you pleased, are you convinced, would you go for {_IT}, tempted, "
    f"did you like {_IT}, settled, shall we settle, like the sound of {_IT}, go for it, works for you, work for you, suit you, appeal to you, to your liking, "
    f"okay with you, ok with you, good with you, fine with you, alright with you, good for you, ok for you, okay for you, are we good, is/are you in, you in, count you in",
    "soft": "what do you think, your thoughts, any thoughts, thoughts, your opinion, deal, interested, agree, agreed, happy, satisfied, which one, which of these/those/them, "
    "your verdict, your decision, are you interested, which do you prefer, opinions, which would you prefer, which appeals, okay, ok, good, yes, any good, keen",
    "thanks": "thanks, thank you, sorry, apologies, apologise, apologize, my apologies, my bad, i see, i understand, got it, gotcha, understood, "
    "noted, makes sense, fair enough, no worries, no problem, i hear you, good to know, glad, happy to help, my pleasure, "
    "youre welcome, you are welcome, i appreciate, appreciate, congratulations, i get it, i get that, fair point, i can imagine, "
    "point taken, that makes sense, that helps, helpful, dont worry, not a problem, what a pity, too bad, thats a shame, what a shame, what a/an, "
    "roger, of course, sounds like you, i know the feeling, take your time, no rush at all, how/so nice/lovely/exciting/wonderful, good/great/excellent/lovely/nice/wonderful choice, "
    "i know how, that must, pity, forgive me, pardon, great to hear, good to hear, nice to hear, fair, i agree, i feel you, ill keep that in mind, i will keep that in mind, i hear",
    "lead": "great, perfect, nice, wonderful, awesome, lovely, cool, excellent, absolutely, certainly, sure, alright, okay, ok, right, "
    "fantastic, super, brilliant, good, amazing, definitely, very well, all right, sounds/sound great/good/lovely/fun/perfect/nice/wonderful, that sounds great/good/lovely/fun/perfect/nice/wonderful, thats great/good/lovely/fun/perfect/nice/wonderful/fine, aha, ah, oh, great choice, "
    "haha, yes, yeah, indeed, hmm, splendid, interesting, exactly, wow, fine, no, marvellous, terrific, delightful, beautiful",
    "greet": "hello, hi, hey, good morning/afternoon/evening/day, welcome, greetings, nice to meet you, pleased to meet you, "
    "hiya, howdy, hi there, hey there, hello there, great to meet you, good to see you, nice to see you, how are you, how are you doing, how is it going, hows it going, "
    "whats up, how do you do, pleasure to meet you, lovely to meet you, good to meet you, im your, i am your, my name is, how are things, hows your day",
    "close": "goodbye, bye, good bye, bye bye, see you, take care, farewell, good luck, have a good/great/nice/lovely/wonderful/fantastic/pleasant/safe/amazing "
    "day/trip/time/visit/stay/evening/weekend/journey/one/rest/holiday/afternoon/vacation, have fun, enjoy your trip/day/visit/stay/time/holiday/outing/weekend/afternoon/evening/experience/activity/vacation/adventure, enjoy yourself/yourselves, "
    "until next time, cheerio, so long, safe travels, that is all, thats all, nothing more from me, signing off, ciao, adios, talk to you later, speak soon, "
    "have a blast, bon voyage, enjoy the rest of your, have a really/very good/great/nice/lovely/wonderful/fantastic, i will leave you, ill leave you, wish you, come back any time/anytime, "
    "all the best, our conversation, end/ending our/this/the chat/conversation, until then, catch you later, see ya, later, over and out",
    "refuse": "as an ai, im an ai, i am an ai, language model, i cannot/cant help/assist/do/provide/offer/recommend/suggest/answer/give/make/discuss/comply/fulfil/fulfill/complete/"
    "continue/support/advise/choose/decide/share/handle/respond, i am/im unable, im not able, i am not able, unable to, not able to, cannot/cant help you/with, against my, not allowed to, "
    "not permitted, my guidelines, beyond my, outside my, not comfortable, i wont, i will not, i refuse, i must decline, decline to, i have to decline, i dont have access, "
    "i dont have the ability, no access to, not programmed, not designed to, my programming, not equipped, no information on, im afraid i cant/cannot, im sorry but i cant/cannot, isnt something i can, is not something i can, "
    "not something i, not my job, do not have personal, dont have personal, wouldnt be appropriate, not appropriate, couldnt possibly, consult a, please consult, contact a, ask someone else, look it up yourself, "
    "somebody else, cant do that, cannot do that, cant assist, cannot assist, i cant, i cannot, not going to help, rather not, id prefer not, not qualified, not in a position, against policy, policy",
    "you": "you like, you want, you prefer, you need, you enjoy, you said, you mentioned, you love, you told, you are looking, youre looking, you would like, "
    "youd like, you would prefer, youd prefer, you would rather, youd rather, you are after, youre after, you dont, youre into, you are into, your preference, "
    "you have, youve, you are, youre, you do, you fancy, you can spend, you asked, you were, your budget, you hope, you feel, you value, youd love, you wanted, you only",
    "first": "ill, i will, let me, im going to, i am going to, i shall, we will, well, im looking, i am looking, ill look, i can, i have, ive, we have, weve, so",
    "ref1": "first, first one, 1st, number one, option one, option 1, number 1, former, earlier one",
    "ref2": "second, second one, 2nd, number two, option two, option 2, number 2",
    "ref3": "third, third one, 3rd, number three, option three, option 3, number 3",
    "ref4": "fourth, fourth one, 4th, number four",
    "reflast": "last one, latter, last option, final one",
    "refboth": "both, both of them, all of them, all three, both options, all of these, all of those, either one, either of them",
    "refthat": "that one, this one, that option, this option, that activity, this activity, the same one, same one, the one i mentioned, the one you mentioned, the one",
    "refother": "other one, the other, other option",
    "topic": "in terms of, when it comes to, regarding, as for, speaking of, with regard to, as far as, concerning, with respect to, moving on to, on the subject of, about",
    "reason": "since, because, as you, given, if, considering that, seeing that, seeing as, as it, because of, due to, thanks to, based on, knowing",
    "free": "feel free, free to, time of your life, great time, first time, next time, this time, at the time, any time, at a time, one at a time, each time, last time, "
    "long as, as long, no longer, so long as, i have to, you have to, have to, of course not, mind reading, by the time, in no time, "
    "art of, take care of, at least, not at all, cost you, pick you up, quick question, quick questions, quick check, quick one, short list, short answer, few quick questions, "
    "good for, easy question, easy one, easy to, steps away, next steps, next step, a step, action plan, no problem at all, fit for, water off, lets see, let me see, let me think, let me check, "
    "narrow things/it down, narrow down, slow down, calm down, hold on, artificial, long story short, i recommend that, that price, in the meantime, for a long time, long time, "
    "history of, keep up, small talk, small question, a bit about, find you, stay in touch, play it by ear, eat up, busy schedule, are you free, you free, free on, design for",
}
"""Kind of cue -> its phrases, comma-separated. Later kinds win where two kinds list the same phrase."""

OPENERS = frozenset(
    "do does did would will are is was were am can could should shall may have has what whats which how hows who whos when where why "
    "any anything wanna fancy whether dont arent isnt wouldnt".split()
)
"""A clause that begins with one of these is a question, with or without its mark."""

SPLITTERS = frozenset("do does did would are is can could should shall what whats which how hows who why any will have lets try maybe perhaps".split())
"""Words that begin a new clause after a comma or a conjunction."""

FILLERS = frozenset(
    "and so but or also well now then first firstly finally lastly just please oh ah hmm um er hi hello hey okay ok alright great "
    "perfect thanks sure right anyway next secondly second yes actually honestly plus ok cool nice".split()
)
"""Words that may stand before the opener of a question."""

CONJUNCTIONS = frozenset((",", "and", "but", "or", "so", "—", "–", "-", "--", ":", "then", "because", "(", ")"))

_COMMON = """
i you he she it we they me him her us them my your his its our their mine yours this that these those the a an and or
but if because since as of at by for with about against between into through during before after above below to from up
down in out on off over under again further then once here there when where why how all any both each few more most
other some such no nor not only own same so than too very can will just should would could may might must shall do does
did done doing be am is are was were been being have has had having get gets got go goes going gone went make makes made
take takes took taken come comes came see saw seen know knew known think thought say says said tell told ask asked want
wants wanted like likes liked need needs needed let lets try use used find found give gave work works worked call called
seem feel leave left put mean keep begin help show hear play run move live believe bring happen write sit stand lose pay
meet include continue set learn change lead understand watch follow stop create speak read spend grow open walk win offer
remember love consider appear buy wait serve die send expect build stay fall cut reach kill remain suggest raise pass
sell require report decide pull great good new first last long little own old right big high different small large next
early young important public bad able best better sure free real full special easy clear recent certain personal nice
time year people way day man thing woman life child world school state family student group country problem hand part
place case week company system program question government number night point home water room mother area money story
fact month lot study book eye job word business issue side kind head house service friend father power hour game line end
member law car city community name president team minute idea body information back parent face others level office door
health person art war history party result morning reason research girl guy moment air teacher force education today
tomorrow tonight yesterday always never often sometimes usually maybe perhaps really quite rather already still yet even
also well please thanks thank hello hi yes okay something anything nothing everything someone anyone everyone somewhere
anywhere what which who whom whose whats thats im youre ive id ill youd youll dont doesnt isnt arent cant wont lets theres
around away together without within though although while until unless whether either neither instead else ever much many
activity activities option options place places trip visit tour tours experience plan plans weather sun rain choice trying
looking thinking asking having making taking coming talking saying telling hoping planning wondering visiting enjoying
walking starting ready glad happy sorry welcome enjoy wonderful perfect lovely fun interesting exciting amazing beautiful
favourite favorite price prices ticket tickets euro euros minutes hours days weekend afternoon evening night couple solo
friends kids children partner travel traveller holiday vacation holidays budget prefer mind matter sound sounds fit suit
might mention mentioned list pick choose decision thoughts opinion details detail per each about guide guided local locals
""".split()

FOREIGN = frozenset(
    """hola que como esta usted gusta gustaria quiero quiere prefiere presupuesto cual para con por los las una unos del muy buenos dias gracias
    bonjour vous votre est quel quelle voulez je suis nous les des une avec pour dans sur aimez merci preferez etes combien salut
    hallo guten tag ich sie ist das und mochten wie viel nicht haben konnen fur ein eine wir lieber gerne danke was magst willst du
    ciao buongiorno che cosa preferisci vuoi sei il di per una gli grazie quanto ti piace vorrei
    ola voce gosta qual seu orcamento bom dia obrigado prefere quer sao nao uma voces tem
    het een niet wat jij wil graag hoeveel bent u van dank god dag hej vad vill tycker om ar och jag det
    czy pan pani jest jaki lubisz dzien dobry merhaba nasil ne kadar privet hva liker kuinka paljon mitae
    salve quid est vis dolor ipsum lorem sit amet konnichiwa arigato ni hao""".split()
) - frozenset("das was sie die van om per il ne ti pan god con sit u de in is".split())


@lru_cache(maxsize=1)
def table() -> lexicon.Phrases:
    """Slots, values and cues in one look-up table."""
    cues = [(("cue", kind, ""), phrases) for kind, phrases in CUES.items()]
    return lexicon.build([*cues[:4], *lexicon.groups(), *cues[4:]])


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """English words that are never a typo of an activity's name, and that show a text to be English."""
    phrases = (row for rows in table().values() for row in rows)
    return frozenset(_COMMON).union(*(words for _, words, _ in phrases)) | OPENERS | FILLERS | SPLITTERS
