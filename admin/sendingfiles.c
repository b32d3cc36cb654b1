/* sendingfiles - see sendingfiles.h */
#include "sendingfiles.h"

#include "hostfiles.h"
#include "idn.h"
#include "ip.h"
#include "mailaddress.h"

enum { SHOWN_MAX = 80, CREDENTIAL_MAX = 500 };

/* ---- control/bindroutes ---- */

struct bindroute_words {
    struct ip v4, v6; /* size 0: not given */
    char helo[IDN_NAME_MAX + 1];
};

static bool refuse(struct str *reason, const char *text, struct slice word)
{
    str_append_filled(reason, slice_text(text), slice_part(word, 0, SHOWN_MAX));
    return false;
}

static bool take_helo(struct slice name, struct bindroute_words *words, struct str *reason)
{
    if (idn_to_ascii(name, words->helo) ||
        (mailaddress_is_domain(name, 0) && slice_copy_text(name, words->helo, sizeof words->helo)))
        return true;
    return refuse(reason, "\"$\" is no host name (such as helo=mail.example.jp)", name);
}

static bool take_address(struct slice word, struct bindroute_words *words, struct str *reason)
{
    struct ip ip;
    if (!ip_parse(word, &ip))
        return refuse(reason, "\"$\" is no IP address (such as 192.0.2.1 or 2001:db8::1)", word);
    struct ip *place = ip.size == 4 ? &words->v4 : &words->v6;
    if (place->size > 0)
        return refuse(reason, "\"$\" is the second of its kind: one IPv4, one IPv6", word);
    *place = ip;
    return true;
}

static void put_address(const struct ip *ip, struct str *value)
{
    char text[IP_TEXT_MAX] = "-";
    if (ip->size > 0)
        ip_format(ip, text);
    str_append_text(value, text);
    str_append_byte(value, ' ');
}

bool sendingfiles_parse_bindroute(struct slice line, struct str *key, struct str *value,
                                  struct str *reason)
{
    struct bindroute_words words = {.helo = ""};
    struct slice word = slice_cut_word(&line);
    if (!slice_equal(word, SLICE("*")) && !hostfiles_put_domain(word, key, reason))
        return false;
    while ((word = slice_cut_word(&line)).size > 0) {
        bool is_helo = slice_starts_nocase(word, SLICE("helo="));
        if (is_helo ? !take_helo(slice_from(word, 5), &words, reason)
                    : !take_address(word, &words, reason))
            return false;
    }
    if (words.v4.size == 0 && words.v6.size == 0)
        return refuse(reason, "a line is DOMAIN ADDRESS [ADDRESS] [helo=NAME]", SLICE(""));
    put_address(&words.v4, value);
    put_address(&words.v6, value);
    return str_append_text(value, words.helo[0] != '\0' ? words.helo : "-") && !key->failed;
}

/* ---- control/relayauth ---- */

bool sendingfiles_parse_relayauth(struct slice line, struct str *key, struct str *value,
                                  struct str *reason)
{
    struct slice host = slice_cut_word(&line);
    struct slice user = slice_cut_word(&line);
    struct slice password = slice_trim(line);
    if (password.size == 0 || user.size > CREDENTIAL_MAX || password.size > CREDENTIAL_MAX ||
        slice_has(line, '\0'))
        return refuse(reason, "a line is HOST[:PORT] USER PASSWORD", SLICE(""));
    return hostfiles_put_endpoint(host, key, reason) && str_append(value, user) &&
           str_append_byte(value, '\0') && str_append(value, password) && !key->failed;
}
