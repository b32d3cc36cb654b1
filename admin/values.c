/* values - see values.h */
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 512 };

void values_free(struct values *values)
{
    for (size_t i = 0; values->of && i < settings_count; i++)
        free(values->of[i].text);
    free(values->of);
    values->of = NULL;
}

const struct value *values_get(const struct values *values, const struct setting *setting)
{
    static const struct value silent;
    return values->of ? &values->of[setting - settings_table] : &silent;
}

/* "free NAME VALUE", "fixed NAME VALUE" */
static bool cut_rule(struct slice *line, struct value *value)
{
    struct slice rest = *line;
    struct slice word = slice_cut_word(&rest);
    bool is_free = slice_equal(word, SLICE("free"));
    if (!is_free && !slice_equal(word, SLICE("fixed")))
        return false;
    value->has_rule = true;
    value->rule = is_free ? SETTINGS_FREE : SETTINGS_FIXED;
    *line = rest;
    return true;
}

static void add_line(struct values *values, const char *path, unsigned number, struct slice line,
                     bool is_plan, struct findings *findings)
{
    struct value value = {.said = true, .line = number};
    struct str reason;
    if (cut_rule(&line, &value) && !is_plan) {
        findings_error(findings, path, number,
                       "only a plan says \"free\" and \"fixed\": remove it");
        return;
    }
    struct slice name = slice_cut_word(&line);
    struct slice text = slice_trim(line);
    const struct setting *setting = settings_find(name);
    if (!setting) {
        findings_error(findings, path, number,
                       "\"%.*s\" is no setting: mailctl help settings lists them",
                       SLICE_PRINTF(slice_part(name, 0, SETTINGS_NAME_MAX)));
        return;
    }
    struct value *of = &values->of[setting - settings_table];
    if (of->said) {
        findings_error(findings, path, number, "%s is set in line %u already: keep one",
                       setting->name, of->line);
        return;
    }
    str_init(&reason, REASON_MAX);
    value.text = strndup(text.size > 0 ? text.data : "", text.size);
    if (!value.text) {
        findings_trouble(findings, path, "find memory");
    } else if (!settings_check(setting, text, &reason)) {
        findings_error(findings, path, number, "%s: \"%.*s\" %s", setting->name,
                       SLICE_PRINTF(slice_part(text, 0, 80)),
                       str_text(&reason) ? str_text(&reason) : "is wrong");
        free(value.text);
    } else {
        *of = value;
    }
    str_free(&reason);
}

bool values_load(struct values *values, const struct sources *sources, const char *path,
                 bool is_plan, struct findings *findings, bool *missing)
{
    char shown[PATH_MAX + 16];
    struct control_lines lines;
    struct slice line;
    snprintf(shown, sizeof shown, "control/%s", path);
    values->of = calloc(settings_count, sizeof *values->of);
    if (!values->of) {
        findings_trouble(findings, shown, "find memory");
        return false;
    }
    if (!sources_lines(sources, path, findings, &lines, missing))
        return false;
    while (control_next_line(&lines, &line))
        add_line(values, shown, lines.number, line, is_plan, findings);
    control_lines_free(&lines);
    return true;
}
