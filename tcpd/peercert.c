/* peercert - see peercert.h */
#include "peercert.h"

#include "der.h"

enum {
    TAG_BOOLEAN = 0x01,
    TAG_INTEGER = 0x02,
    TAG_OCTETS = 0x04,
    TAG_OBJECT = 0x06,
    TAG_SEQUENCE = 0x30,
    TAG_SET = 0x31,
    TAG_VERSION = 0xa0,
    TAG_EXTENSIONS = 0xa3,
    TAG_DNS_NAME = 0x82,
    WILDCARD_LABELS_MIN = 2, /* behind the asterisk: nobody owns all of .org */
};

/* 2.5.29.17 subjectAltName, 2.5.4.3 commonName */
static const struct slice object_names = {"\x55\x1d\x11", 3};
static const struct slice object_common_name = {"\x55\x04\x03", 3};

/* Cuts off any element. */
static bool cut_any(struct slice *rest, unsigned *tag, struct slice *content)
{
    *tag = rest->size > 0 ? (unsigned char)rest->data[0] : 0;
    return der_cut(rest, *tag, content);
}

/* The subject: SEQUENCE OF SET OF SEQUENCE { type, value }. */
static bool find_common_name(struct slice subject, struct slice *name)
{
    while (subject.size > 0) {
        struct slice set, pair, object, value;
        unsigned tag;
        if (!der_cut(&subject, TAG_SET, &set))
            return false;
        while (set.size > 0) {
            if (!der_cut(&set, TAG_SEQUENCE, &pair) || !der_cut(&pair, TAG_OBJECT, &object) ||
                !cut_any(&pair, &tag, &value))
                return false;
            if (slice_equal(object, object_common_name))
                *name = value;
        }
    }
    return true;
}

/* SEQUENCE OF SEQUENCE { object, critical DEFAULT FALSE, value }. */
static bool find_names(struct slice extensions, struct slice *names)
{
    while (extensions.size > 0) {
        struct slice extension, object, critical, value;
        if (!der_cut(&extensions, TAG_SEQUENCE, &extension) ||
            !der_cut(&extension, TAG_OBJECT, &object))
            return false;
        (void)der_cut(&extension, TAG_BOOLEAN, &critical);
        if (!der_cut(&extension, TAG_OCTETS, &value))
            return false;
        if (slice_equal(object, object_names) && !der_cut(&value, TAG_SEQUENCE, names))
            return false;
    }
    return true;
}

bool peercert_parse(struct slice der, struct peercert *certificate)
{
    struct slice rest = der, body, skipped, wrapped, extensions;
    *certificate = (struct peercert){.der = der};
    if (!der_cut(&rest, TAG_SEQUENCE, &body) || rest.size > 0)
        return false;
    rest = body;
    if (!der_cut(&rest, TAG_SEQUENCE, &body))
        return false;
    (void)der_cut(&body, TAG_VERSION, &skipped);
    if (!der_cut(&body, TAG_INTEGER, &skipped) ||  /* serial number */
        !der_cut(&body, TAG_SEQUENCE, &skipped) || /* signature's algorithm */
        !der_cut(&body, TAG_SEQUENCE, &certificate->issuer) ||
        !der_cut(&body, TAG_SEQUENCE, &skipped) || /* validity */
        !der_cut(&body, TAG_SEQUENCE, &certificate->subject) ||
        !der_cut_whole(&body, TAG_SEQUENCE, &certificate->key) ||
        !find_common_name(certificate->subject, &certificate->common_name))
        return false;
    while (body.size > 0) { /* unique identifiers [1] and [2], extensions [3] */
        unsigned tag;
        if (!cut_any(&body, &tag, &wrapped))
            return false;
        if (tag == TAG_EXTENSIONS && (!der_cut(&wrapped, TAG_SEQUENCE, &extensions) ||
                                      !find_names(extensions, &certificate->names)))
            return false;
    }
    return true;
}

/* ---- names ----------------------------------------------------------------------------------- */

static size_t count_labels(struct slice name)
{
    size_t count = 0;
    for (; name.size > 0; count++)
        slice_cut(&name, '.');
    return count;
}

static struct slice without_dot(struct slice name)
{
    return slice_ends(name, SLICE(".")) ? slice_part(name, 0, name.size - 1) : name;
}

bool peercert_name_fits(struct slice presented, struct slice reference)
{
    presented = without_dot(presented);
    reference = without_dot(reference);
    if (presented.size == 0 || reference.size == 0 || slice_has_control(presented))
        return false;
    if (reference.data[0] == '.')
        return presented.size > reference.size &&
               slice_equal_nocase(slice_from(presented, presented.size - reference.size),
                                  reference);
    if (slice_starts(presented, SLICE("*."))) {
        slice_cut(&presented, '.');
        if (slice_cut(&reference, '.').size == 0 || count_labels(presented) < WILDCARD_LABELS_MIN)
            return false;
    }
    return slice_equal_nocase(presented, reference);
}

bool peercert_has_name(const struct peercert *certificate, struct slice reference)
{
    struct slice rest = certificate->names, name;
    bool has_dns_name = false;
    unsigned tag;
    while (rest.size > 0 && cut_any(&rest, &tag, &name)) {
        if (tag != TAG_DNS_NAME)
            continue;
        has_dns_name = true;
        if (peercert_name_fits(name, reference))
            return true;
    }
    return !has_dns_name && peercert_name_fits(certificate->common_name, reference);
}
