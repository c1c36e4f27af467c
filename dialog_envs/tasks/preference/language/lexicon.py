"""What people call the slots and values of the preference task: phrases as data, for agent and user text alike.

Written in the notation of :mod:`~dialog_envs.tasks.language.phrases`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ...language.phrases import Meaning, Phrases, Trie, build, trie
from ...language.phrases import find as find_in

SLOTS = ("theme", "setting", "pace", "crowd", "budget", "time", "need")

# fmt: off
VALUES: Mapping[tuple[str, str], str] = {
    ("theme", "art"): "art, arts, gallery, galleries, artwork, artworks, artist, artists, artistic, paintings, sculpture, "
    "sculptures, museum, museums, exhibition, exhibitions, murals, street art, arty, artsy, visual arts, design, photography",
    ("theme", "history"): "history, historical, historic, heritage, monument, monuments, ruins, castle, castles, ancient, "
    "medieval, archaeology, archaeological, the past, old buildings, historical/historic sites, architecture, cathedrals",
    ("theme", "nature"): "nature, the? great outdoors, natural, wildlife, animals, forest, forests, gardens, parks, landscape, landscapes, scenery, "
    "birdwatching, greenery, countryside, national park/parks, plants, the wild, hiking trails",
    ("theme", "food"): "food, foodie, foodies, cuisine, culinary, gastronomy, gastronomic, tasting, tastings, local "
    "dishes/flavours/flavors, wine, wines, eating, eat, cooking, restaurant, restaurants, street food, delicacies, foody, "
    "cookery, markets, drinks, tasty, delicious, flavours, flavors, eats",
    ("theme", "music"): "music, musical, concert, concerts, gig, gigs, live music, band, bands, singing, jazz, opera, tunes, "
    "orchestra, musicians",
    ("theme", "sport"): "sport, sports, sporty, athletic, surfing, cycling, kayaking, climbing, biking, bike ride/rides, "
    "workout, athletics, sporting, playing/play sport/sports, football, tennis",
    ("theme", "craft"): "craft, crafts, crafty, handicraft, handicrafts, pottery, ceramics, handmade, hands on, making "
    "something/things/stuff, make something/things/stuff, weaving, crafting, artisan, artisans, workshop, workshops, diy, "
    "handcrafts, with your/my hands, knitting, woodwork, handiwork",
    ("theme", "wellness"): "wellness, spa, spas, yoga, massage, massages, meditation, wellbeing, well being, sauna, pampering, "
    "self care, thermal baths, mindfulness, unwind and recharge, pampered, hammam, saunas",
    ("setting", "indoors"): "indoors, indoor, inside, under a/the? roof/cover, roof, roofed, indoorsy, undercover, within four walls, sheltered, "
    "out of the rain/sun/heat/cold/wind, stay/staying in, covered",
    ("setting", "outdoors"): "outdoors, outdoor, outside, open air, fresh air, out in the open, outdoorsy, in the open, al fresco, "
    "under the sky, out and about, sunshine, out in nature, no roof, in the sun, under the open sky, get/be/being/getting out in",
    ("pace", "relaxed"): "relaxed, relaxing, relax, easygoing, easy going, slow, slower, leisurely, laid back, chill, gentle, "
    "unhurried, take/taking it easy, slowly, low key, restful, easy pace, low effort, lazy, chilled, take/taking things "
    "easy/slow/slowly, not/nothing too? strenuous/demanding/tiring/exhausting, low energy, calm pace, unwind, unwinding, mellow, "
    "lighter, light activity, slow pace, easy, put your/my feet up, sit/sitting back, less active, sedentary, effortless, no rush",
    ("pace", "moderate"): "moderate, moderately active, medium pace, steady pace",
    ("pace", "active"): "fast, faster, fast pace, active, actively, energetic, adventurous, adventure, adventures, on the move, physical, physically, "
    "vigorous, strenuous, sweaty, sporty pace, challenging, some exercise, adrenaline, fast paced, high energy, exertion, moving around, move around, "
    "break/breaking/work/working up? a sweat, demanding, up tempo, full of action, action, intense, action packed, get "
    "moving, heart/blood pumping/racing, exert, thrilling, burn/burning some? energy, energetically, sweat, exerting, "
    "up for a challenge, a challenge, get/getting your heart rate up, tiring, dynamic, stay/staying/being on my/your feet",
    ("crowd", "quiet"): "quiet, quieter, calm, calmer, peaceful, tranquil, few people, not many people, not too? "
    "crowded/busy/many/packed/loud/noisy, no crowds, avoid/avoiding crowds/people, away from the? "
    "crowd/crowds/people/bustle, off the beaten track/path, silent, silence, intimate, uncrowded, secluded, less crowded/busy, "
    "peace, low crowd/crowds, small group/groups, hidden gem/gems, peaceful and quiet, few/fewer people/crowds, empty, "
    "on your/my own, stillness, serene, fewer tourists, hush, hushed, to ourselves/yourselves, to yourself/myself, "
    "without the? crowds, beat the crowds, solitude, privacy, private, nobody around, hardly anyone, small scale",
    ("crowd", "lively~"): "crowd, crowds, tourists",
    ("crowd", "mixed"): "moderately busy, somewhat busy",
    ("crowd", "lively"): "lively, livelier, buzzing, bustling, crowded, busy, vibrant, busier, many people, lots/lot of "
    "people, people around, popular, noisy, loud, party, buzz, loads of people, loads/load of folk/folks/folk, rave, rammed, social, sociable, bustle, hustle and? bustle, being around "
    "people, big groups, packed, animated, festive, other people, atmospheric crowd, full of people, full of life, busy "
    "places, surrounded by people, rowdy, mingle, mingling, meet people, meeting people, meet/meeting new people, "
    "a? big/large/larger/bigger crowd/crowds/group/groups, touristy, in the thick of it, company of others, energy of a crowd, "
    "energy of the crowd",
    ("budget", "low"): "cheap, cheaper, cheapest, inexpensive, free, low cost, low price, affordable, budget friendly, tight budget, "
    "low budget, small budget, on a budget, free of charge, save/saving money, economical, not too? "
    "expensive/pricey/costly, nothing too? expensive/pricey/costly, low priced, thrifty, "
    "under twenty, twenty euros, bargain, bargains, keep/keeping costs/it/things down/cheap/low, penny pinching, frugal, "
    "without spending much, wallet friendly, limited budget, less money, as little as possible, next to nothing",
    ("budget", "medium"): "mid range, mid priced, moderately priced, medium budget, moderate budget, reasonable price, reasonably "
    "priced, under sixty, sixty euros, middle of the road, average price, medium price/priced, mid budget",
    ("budget", "any"): "money is/isnt no/an? object/issue/problem/thing/concern/limit, money isnt a thing/problem, upper limit, no upper limit, no limit, no budget limit, no limits, unlimited, unlimited budget, cost no object, price no object, expensive, pricey, costly, splurge, splurging, luxury, luxurious, premium, high end, spend/spending a lot, "
    "money is no object, upscale, no expense spared, treat yourself/yourselves/myself, pay more, push the boat out, "
    "no limit on price, pricier, high budget, spend/spending more, paying more, sky is the limit, something/somewhere fancy, fancy places, splash out, splash the cash, go all out, splashing out, expensive activities, deep pockets",
    ("time", "short"): "short, shorter, quick, quicker, brief, an hour, one hour, hour or two, an hour or two, a couple of hours, couple of hours, two hours, few "
    "hours, one or two hours, short activity, hour or so, quick visit, not too long, short of time, pressed for time, "
    "in a hurry, little time, limited time, in a rush, not much time, tight on time, bite sized, just an hour, short on time",
    ("time", "half_day"): "half day, half a day, half the day, morning, afternoon, half of the day, a morning, an afternoon, three "
    "hours, four hours, half days, mornings, afternoons",
    ("time", "any"): "full day, whole day, all day, entire day, day trip, day trips, day long, from morning to evening, full days, all the "
    "time in the world, whole of the day, longer, day out, all day long, lengthy, full blown day, the day free",
    ("need", "step_free"): "wheelchair, wheelchairs, step free, stairs, steps, staircase, staircases, mobility, accessible, "
    "walk/walking difficulties/problems/issues, disabled, disability, disabilities, wheelchair user, wheelchair access, wheelchair accessible, step free access, stroller, pram, pushchair, crutches, "
    "bad knee/knees, rough/uneven ground, knees, trouble walking, barrier free, walker, climb/climbing stairs/steps, "
    "difficulty/difficulties/trouble/problem/problems walking, uneven terrain, buggy, access needs, handicap, handicapped, "
    "flights of stairs, walk far, walk long distances, hip, walking aid/stick",
    ("need", "no_heights"): "heights, height, vertigo, high up, high places, fear of heights, drops, acrophobia, acrophobic, "
    "looking down, great heights, ledges, towers",
    ("need", "no_water"): "water, boat, boats, swim, swimming, seasick, seasickness, sea sick, get/getting wet, sailing, on the water, "
    "near water, in the water, sea sickness, motion sickness, wet, waves, motion sick, deep water, drowning",
    ("need", "vegetarian"): "vegetarian, vegetarians, vegan, vegans, meat, meat free, veggie, plant based, vegetarian diet, meatless, eat meat, "
    "veggies, fish and meat, vegetarian food/meals/options/dishes, vegan food/meals/options",
}
# fmt: on
"""Slot and value -> the phrases that mean it, comma-separated. ``need`` values are named by what they concern.
A value with "~" is one only in a question to be answered by yes or no ("do you like crowds?", but "crowds?")."""

SLOT_WORDS: Mapping[str, str] = {
    "theme": "what are you interested in, you interested in, what youre interested in, what you are interested in, theme, themes, you into, kind stuff/things,  topic, topics, subject, interests, interest, interested in, hobby, hobbies, what sort/kind/kinds/sorts/type/types "
    "of activity/activities/things/thing/stuff/experience/experiences/attraction/attractions/places/place/outing/outings, kind/kinds/sort/sorts/"
    "type/types of activity/activities/experience/experiences/attraction/attractions/outing/outings, passion, passions, "
    "passionate about, what are you into, what you are into, what youre into, into most, which activities, pastime, pastimes, "
    "fascinates you, interests you, category, categories, areas of interest, genre, field, fields, "
    "are you into, get you excited, themed, what activities, subjects, kind/type/sort of thing/things/stuff, kind/sort/type activity/activities/experience, culture, cultural",
    "setting": "setting, settings, surroundings, roof over "
    "your head, in or out, out or in, inside or out, indoors or out, in or outdoors, in doors or out doors, outdoors or in, setting wise",
    "pace": "pace, tempo, speed, energy level/levels, energy, energised, energized, level of activity, what? activity level/levels, how much do you want/like to move, want to move, like to move, how active, how "
    "physical, fitness, how energetic, intensity, effort, how relaxed, rhythm, fit, physical effort, how adventurous, "
    "how much exercise/effort/walking/energy/activity/movement, exercise, how strenuous, how demanding, how fast, fitness level, how intense, level of exertion, level of effort, how much energy, "
    "pace wise, stamina, exertion level, physical level",
    "crowd": "atmosphere, ambience, ambiance, how busy, how crowded, how many people, crowd level/levels, feel about crowds, "
    "level of crowds, how lively, how quiet, noise level, how you feel about crowds, noise, how "
    "packed, handle crowds, crowd size, amount of people, number of people, how loud, size of the crowd, size of crowd, crowdedness, busyness, "
    "mood of the place, crowd wise, feel about other people, how sociable, how social",
    "budget": "budget, budgets, finances, expenditure, comfortable amount, amount of money, price, prices, price range, price limit, cost, costs, money, afford, pay, paying, how much money, "
    "price point, financial, financially, pockets, max/maximum price/amount/budget/cost/spend, the maximum, euro, euros, expense, expenses, spending limit, wallet, funds, eur, pricing, priced, "
    "cap on spending, purse, bucks, part with, shell out, fork out, cash, price tag, cost per person, a head, bill, "
    "budgetary, spending limit, damage, money wise, spendings, price bracket, price wise, budget wise, cost wise, money wise, price ceiling",
    "time": "how long, how much time, duration, hours, hour, time available, time do you have, have time, time is limited, timing, on the clock, clock, how much of the/your day, time limit, time frame, "
    "timeframe, your time, amount of time, time constraint/constraints, schedule, much time, lasts, last, length, time span, "
    "time to spend, time window, available time, how many hours, time you have, time have you got, time budget, minutes, "
    "time youve got, time are you, time would you, time can you, how long do, time slot, time youd, time you can, be back at, "
    "be back, get back, time restrictions, time pressure, itinerary, time you want, time wise, time is available, free time, "
    "time do we have, time have we, time is there, spare time, time to spare, time should it, time commitment, time set aside, time free",
    "budget~": "how much, spend, spend on, spending, amount",
    "theme~": "enjoy doing, like doing, love doing, like to do, love to do, enjoy to do, you usually do, you normally do, likes and dislikes, your likes, what/which things/stuff/experiences/activities/activity/experience/topics",
    "crowd~": "vibe, vibes, mood",
    "time~": "time, times",
    "need": "needs, dietary, diet, diets, food restrictions/allergies/intolerances/allergy, dietary needs/restrictions/requirements/preferences, accessibility, access needs, accessibility needs/requirements/issues/concerns, mobility or dietary, no goes, requirement, requirements, restriction, restrictions, constraint, constraints, limitation, limitations, "
    "allergies, allergy, allergic, special needs, health, medical, phobia, phobias, fear, fears, afraid, afraid of, scared, scared of, "
    "physical limitations, physical limitation, special requirements, anything you cant, anything to avoid, anything you want to avoid, deal breakers, "
    "dealbreakers, deal breaker, deal breakers, dealbreaker, must avoid, cant do, cannot do, dont eat, avoid, avoided, "
    "need to avoid, no go, no gos, must not, injuries, injury, health issues/concerns/conditions, condition, conditions, steer clear of, "
    "special need, off limits, uncomfortable, not comfortable, rule out, rules out, physical restrictions, physical needs, cant handle, "
    "make you uncomfortable, particular needs, considerations, special considerations, "
    "accommodate, accommodations, out of the question, unable to do, problem with, problems with, trouble with, "
    "should i avoid, i should avoid, cant eat, not eat, cant do or eat, not up for, concerns, concern, medical conditions, hard no, physical condition",
}
"""Slot -> phrases that name it without a value; with "~", phrases that do so only where nothing else is named."""

OPPOSITE = {
    "indoors": "outdoors", "outdoors": "indoors", "quiet": "lively", "lively": "quiet", "relaxed": "active",
    "active": "relaxed",
}  # fmt: skip
"""What a negated value means: "not too active" is relaxed."""

NEGATIONS = frozenset(
    "not no without avoid avoiding hate hates dislike dont doesnt isnt arent never nothing hardly cant cannot less "
    "rather_than neither nor wouldnt didnt wont".split()
)

NUMBER_WORDS = {
    "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "hundred": 100, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "eight": 8,
}  # fmt: skip


def groups() -> list[tuple[Meaning, str]]:
    """Meanings ("value", slot, value) and ("slot", slot, "") with their phrases, for :func:`build`."""
    slots = [(("slot", slot, ""), phrases) for slot, phrases in SLOT_WORDS.items()]
    return slots + [(("value", slot, value), phrases) for (slot, value), phrases in VALUES.items()]


@lru_cache(maxsize=1)
def table() -> Phrases:
    """The look-up table of slots and values alone (for readers of user text)."""
    return build(groups())


def find(tokens: list[str]) -> list[tuple[int, int, Meaning]]:
    """The slots and values named in the tokens, left to right: the longest phrases, without overlap."""
    return find_in(tokens, _trie())


@lru_cache(maxsize=1)
def _trie() -> Trie:
    return trie(table())
