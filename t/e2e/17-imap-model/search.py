"""Random SEARCH keys, and what they say about a message: (text of the key, function(entry, flags, number))."""

import time

DAY = 86400
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
FLAG_KEYS = {"ANSWERED": r"\Answered", "DELETED": r"\Deleted", "DRAFT": r"\Draft",
             "FLAGGED": r"\Flagged", "SEEN": r"\Seen"}


def day_text(day):
    parts = time.gmtime(day * DAY)
    return f"{parts.tm_mday}-{MONTHS[parts.tm_mon - 1]}-{parts.tm_year}"


def flag_key(random_, _):
    name = random_.choice(sorted(FLAG_KEYS))
    flag = FLAG_KEYS[name]
    if random_.random() < 0.5:
        return name, lambda entry, flags, number: flag in flags
    return "UN" + name, lambda entry, flags, number: flag not in flags


def keyword_key(random_, context):
    keyword = random_.choice(context.keywords)
    if random_.random() < 0.5:
        return f"KEYWORD {keyword}", lambda entry, flags, number: keyword.lower() in flags
    return f"UNKEYWORD {keyword}", lambda entry, flags, number: keyword.lower() not in flags


def all_key(_random, _context):
    return "ALL", lambda entry, flags, number: True


def set_key(random_, context):
    text, chosen = context.numbers(random_)
    return text, lambda entry, flags, number: number in chosen


def uid_key(random_, context):
    text, chosen = context.uids(random_)
    return f"UID {text}", lambda entry, flags, number: entry.uid in chosen


def date_key(random_, _):
    day = int(time.time()) // DAY - random_.choice([0, 0, 1, 2, 400, 401, 800])
    name = random_.choice(["BEFORE", "ON", "SINCE"])
    return f"{name} {day_text(day)}", \
        lambda entry, flags, number: compare(name, entry.date // DAY, day)


def sent_key(random_, _):
    day = 20000 + random_.randrange(40)
    name = random_.choice(["BEFORE", "ON", "SINCE"])
    return f"SENT{name} {day_text(day)}", \
        lambda entry, flags, number: compare(name, entry.message.sent_day, day)


def compare(name, day, wanted):
    return {"BEFORE": day < wanted, "ON": day == wanted, "SINCE": day >= wanted}[name]


def size_key(random_, _):
    size = random_.choice([0, 300, 500, 1000, 3000, 10000])
    if random_.random() < 0.5:
        return f"LARGER {size}", lambda entry, flags, number: len(entry.message.data) > size
    return f"SMALLER {size}", lambda entry, flags, number: len(entry.message.data) < size


def text_key(random_, context):
    word = random_.choice(context.words)
    word = random_.choice([word, word.upper(), word[1:]])
    folded = word.lower()
    checks = {
        "SUBJECT": lambda message: folded in message.subject.lower(),
        "FROM": lambda message: folded in message.sender.lower(),
        "HEADER X-Word": lambda message: folded in message.words[0],
        "BODY": lambda message: folded in " ".join(message.words),
        "TEXT": lambda message: folded in message.data.decode().lower(),
    }
    name = random_.choice(sorted(checks))
    return f'{name} "{word}"', lambda entry, flags, number: checks[name](entry.message)


def not_key(random_, context):
    text, test = key(random_, context)
    return f"NOT {text}", lambda entry, flags, number: not test(entry, flags, number)


def or_key(random_, context):
    (text, test), (other, second) = key(random_, context), key(random_, context)
    return f"OR {text} {other}", \
        lambda entry, flags, number: test(entry, flags, number) or second(entry, flags, number)


def and_key(random_, context):
    (text, test), (other, second) = key(random_, context), key(random_, context)
    return f"({text} {other})", \
        lambda entry, flags, number: test(entry, flags, number) and second(entry, flags, number)


PLAIN = [flag_key, flag_key, flag_key, keyword_key, keyword_key, set_key, uid_key, date_key, sent_key,
         size_key, text_key, text_key, all_key]
NESTED = [not_key, or_key, and_key]


def key(random_, context):
    kinds = PLAIN if context.depth == 0 or random_.random() < 0.6 else NESTED
    context.depth -= 1
    made = random_.choice(kinds)(random_, context)
    context.depth += 1
    return made
