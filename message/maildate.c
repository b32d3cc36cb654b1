/* maildate - see maildate.h */
#include "maildate.h"

#include "mailspace.h"
#include "number.h"

enum {
    MINUTE = 60,
    HOUR = 3600,
    DAY = 86400,
    YEAR_LEAST = 1900, /* RFC 5322 3.3: no earlier year makes sense */
    YEAR_MOST = 9999,
};

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char day_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* A date on the calendar and a time of day. */
struct date {
    unsigned year, month, day; /* month and day from 1 */
    unsigned hour, minute, second;
};

/* ---- calendar ---------------------------------------------------------------------------------
 * Days are counted in the proleptic Gregorian calendar, in years that begin in March, so that the
 * leap day is the last of its year; 146097 days are 400 years. */

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to the date. */
static int64_t days_of_date(const struct date *date)
{
    int64_t year = (int64_t)date->year - (date->month <= 2);
    int64_t month = (date->month + 9) % 12; /* March is 0 */
    int64_t era = year / 400;
    int64_t year_of_era = year % 400;
    int64_t day_of_year = (153 * month + 2) / 5 + (int64_t)date->day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool date_is_real(const struct date *date, unsigned year_least)
{
    /* 60 is a leap second. */
    return date->year >= year_least && date->year <= YEAR_MOST && date->month >= 1 &&
           date->month <= 12 && date->day >= 1 &&
           date->day <= days_in_month(date->year, date->month) && date->hour <= 23 &&
           date->minute <= 59 && date->second <= 60;
}

static int64_t seconds_of_date(const struct date *date, int zone_minutes)
{
    int64_t second = date->second == 60 ? 59 : date->second;
    return days_of_date(date) * DAY + (int64_t)date->hour * HOUR + (int64_t)date->minute * MINUTE +
           second - (int64_t)zone_minutes * MINUTE;
}

/* False outside of the years 0 ... 9999, which four digits can't hold. */
static bool date_of_seconds(int64_t seconds, struct date *date)
{
    if (seconds < -62135596800 || seconds > 253402300799)
        return false;
    int64_t days = seconds / DAY - (seconds % DAY < 0);
    int64_t time = seconds - days * DAY;
    days += 719468;
    int64_t era = days / 146097;
    int64_t day_of_era = days % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    date->day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1);
    date->month = (unsigned)(month < 10 ? month + 3 : month - 9);
    date->year = (unsigned)(year_of_era + era * 400 + (date->month <= 2));
    date->hour = (unsigned)(time / HOUR);
    date->minute = (unsigned)(time % HOUR / MINUTE);
    date->second = (unsigned)(time % MINUTE);
    return true;
}

/* ---- pieces of text ------------------------------------------------------------------------- */

static char peek(struct slice text)
{
    return text.size > 0 ? text.data[0] : '\0';
}

static bool cut_byte(struct slice *text, char byte)
{
    if (text->size == 0 || text->data[0] != byte)
        return false;
    *text = slice_from(*text, 1);
    return true;
}

/* A run of `least` to `most` digits. */
static bool cut_number(struct slice *text, size_t least, size_t most, unsigned *number)
{
    size_t size = 0;
    while (size < text->size && slice_is_digit(text->data[size]))
        size++;
    if (size < least || size > most ||
        !number_parse_unsigned(slice_part(*text, 0, size), 99999, number))
        return false;
    *text = slice_from(*text, size);
    return true;
}

static struct slice cut_letters(struct slice *text)
{
    size_t size = 0;
    while (size < text->size && slice_is_letter(text->data[size]))
        size++;
    struct slice letters = slice_part(*text, 0, size);
    *text = slice_from(*text, size);
    return letters;
}

static bool cut_month(struct slice *text, unsigned *month)
{
    struct slice name = cut_letters(text);
    for (unsigned i = 0; i < 12; i++) {
        if (slice_equal_nocase(name, slice_text(month_names[i]))) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

/* ---- RFC 5322 ------------------------------------------------------------------------------- */

/* The weekday is not compared with the date: it is wrong often enough, and the date counts. */
static void skip_weekday(struct slice *text)
{
    mailspace_skip(text);
    cut_letters(text);
    mailspace_skip(text);
    cut_byte(text, ',');
    mailspace_skip(text);
}

/* RFC 5322 4.3: what two and three digits mean. */
static bool cut_year(struct slice *text, unsigned *year)
{
    size_t before = text->size;
    if (!cut_number(text, 2, 4, year))
        return false;
    size_t digits = before - text->size;
    if (digits == 2)
        *year += *year < 50 ? 2000 : 1900;
    else if (digits == 3)
        *year += 1900;
    return true;
}

static bool cut_date(struct slice *text, struct date *date)
{
    if (!cut_number(text, 1, 2, &date->day))
        return false;
    mailspace_skip(text);
    if (!cut_month(text, &date->month))
        return false;
    mailspace_skip(text);
    return cut_year(text, &date->year);
}

static bool cut_time(struct slice *text, struct date *date)
{
    if (!cut_number(text, 1, 2, &date->hour))
        return false;
    mailspace_skip(text);
    if (!cut_byte(text, ':'))
        return false;
    mailspace_skip(text);
    if (!cut_number(text, 1, 2, &date->minute))
        return false;
    mailspace_skip(text);
    date->second = 0;
    if (!cut_byte(text, ':'))
        return true;
    mailspace_skip(text);
    return cut_number(text, 1, 2, &date->second);
}

/* "+hhmm", the sign cut off already. */
static bool cut_offset(struct slice *text, int *minutes)
{
    unsigned number;
    if (!cut_number(text, 4, 4, &number) || number % 100 > 59)
        return false;
    *minutes = (int)(number / 100 * 60 + number % 100);
    return true;
}

/* RFC 5322 4.3: the names of North America have a meaning; all others, the military letters too,
 * tell nothing and count as "-0000". */
static int named_zone(struct slice name)
{
    static const struct {
        char name[4];
        int hours;
    } zones[] = {{"EDT", -4}, {"EST", -5}, {"CDT", -5}, {"CST", -6}, {"MDT", -6},
                 {"MST", -7}, {"PDT", -7}, {"PST", -8}, {"JST", 9}};
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        if (slice_equal_nocase(name, slice_text(zones[i].name)))
            return zones[i].hours * 60;
    return 0;
}

/* A date without zone is one of UTC. */
static bool cut_zone(struct slice *text, int *minutes)
{
    *minutes = 0;
    if (cut_byte(text, '+'))
        return cut_offset(text, minutes);
    if (cut_byte(text, '-')) {
        if (!cut_offset(text, minutes))
            return false;
        *minutes = -*minutes;
        return true;
    }
    *minutes = named_zone(cut_letters(text));
    return true;
}

bool maildate_parse(struct slice text, int64_t *seconds, int *zone_minutes)
{
    struct date date = {0};
    int zone;
    skip_weekday(&text);
    if (!cut_date(&text, &date))
        return false;
    mailspace_skip(&text);
    if (!cut_time(&text, &date))
        return false;
    mailspace_skip(&text);
    if (!cut_zone(&text, &zone))
        return false;
    /* What may follow ("Standard Time", a zone's name without parentheses) changes nothing. */
    if (!date_is_real(&date, YEAR_LEAST))
        return false;
    *seconds = seconds_of_date(&date, zone);
    if (zone_minutes)
        *zone_minutes = zone;
    return true;
}

/* What of a time and zone can be had; the rest as RFC 5256 2.2 wants it. */
static void cut_loose_time(struct slice *text, struct date *date, int *zone)
{
    const struct date midnight = {.year = date->year, .month = date->month, .day = date->day};
    *zone = 0;
    if (!cut_time(text, date) || !date_is_real(date, YEAR_LEAST)) {
        *date = midnight;
        return;
    }
    mailspace_skip(text);
    if (!cut_zone(text, zone))
        *zone = 0;
}

bool maildate_parse_sent(struct slice text, int64_t *seconds, int *zone_minutes)
{
    struct date date = {0};
    skip_weekday(&text);
    if (!cut_date(&text, &date) || !date_is_real(&date, YEAR_LEAST))
        return false;
    mailspace_skip(&text);
    cut_loose_time(&text, &date, zone_minutes);
    *seconds = seconds_of_date(&date, *zone_minutes);
    return true;
}

static void put_digits(struct str *text, unsigned number, unsigned least)
{
    for (unsigned most = 10; least > 1; least--, most *= 10)
        if (number < most)
            str_append_byte(text, '0');
    str_append_number(text, number);
}

static bool put_year_and_time(struct str *text, const struct date *date)
{
    put_digits(text, date->year, 4);
    str_append_byte(text, ' ');
    put_digits(text, date->hour, 2);
    str_append_byte(text, ':');
    put_digits(text, date->minute, 2);
    str_append_byte(text, ':');
    put_digits(text, date->second, 2);
    return str_append_text(text, " +0000");
}

bool maildate_format(struct str *text, int64_t seconds)
{
    struct date date;
    if (!date_of_seconds(seconds, &date))
        return false;
    /* 1970-01-01 was a Thursday. */
    int64_t weekday = (days_of_date(&date) % 7 + 4 + 7) % 7;
    str_append_texts(text, day_names[weekday], ", ");
    put_digits(text, date.day, 2);
    str_append_texts(text, " ", month_names[date.month - 1], " ");
    return put_year_and_time(text, &date);
}

/* ---- IMAP (RFC 3501 9) ---------------------------------------------------------------------- */

/* day "-" month "-" year of four digits; some clients leave the blank of a one-digit day out. */
static bool cut_imap_date(struct slice *text, struct date *date)
{
    return cut_number(text, 1, 2, &date->day) && cut_byte(text, '-') &&
           cut_month(text, &date->month) && cut_byte(text, '-') &&
           cut_number(text, 4, 4, &date->year);
}

static bool cut_imap_time(struct slice *text, struct date *date)
{
    return cut_number(text, 2, 2, &date->hour) && cut_byte(text, ':') &&
           cut_number(text, 2, 2, &date->minute) && cut_byte(text, ':') &&
           cut_number(text, 2, 2, &date->second);
}

static bool cut_imap_zone(struct slice *text, int *minutes)
{
    bool behind = peek(*text) == '-';
    if (!cut_byte(text, behind ? '-' : '+') || !cut_offset(text, minutes))
        return false;
    if (behind)
        *minutes = -*minutes;
    return true;
}

bool maildate_parse_imap(struct slice text, int64_t *seconds)
{
    struct date date = {0};
    int zone;
    cut_byte(&text, ' ');
    if (!cut_imap_date(&text, &date) || !cut_byte(&text, ' ') || !cut_imap_time(&text, &date) ||
        !cut_byte(&text, ' ') || !cut_imap_zone(&text, &zone) || text.size > 0 ||
        !date_is_real(&date, 1))
        return false;
    *seconds = seconds_of_date(&date, zone);
    return true;
}

bool maildate_format_imap(struct str *text, int64_t seconds)
{
    struct date date;
    if (!date_of_seconds(seconds, &date))
        return false;
    if (date.day < 10)
        str_append_byte(text, ' ');
    str_append_number(text, date.day);
    str_append_texts(text, "-", month_names[date.month - 1], "-");
    return put_year_and_time(text, &date);
}

bool maildate_parse_imap_day(struct slice text, int64_t *day)
{
    struct date date = {0};
    if (!cut_imap_date(&text, &date) || text.size > 0 || !date_is_real(&date, 1))
        return false;
    *day = days_of_date(&date);
    return true;
}
