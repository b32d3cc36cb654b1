/*
 * htmltext - the text of an HTML page, without what makes it a page
 *
 * Tags are dropped, and so are comments and what stands in <head>, <style>, <script>, <title>; a tag
 * that ends a line or a block leaves a blank. Character references are resolved. Any bytes are
 * accepted, in linear time; broken HTML gives what can be had.
 */
#ifndef IMAPD_HTMLTEXT_H
#define IMAPD_HTMLTEXT_H

#include "str.h"

/* Both in UTF-8. False when `text` is full. */
bool htmltext_append(struct str *text, struct slice html);

#endif
