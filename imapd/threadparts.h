/*
 * threadparts - what threadtree.c and threadsubject.c share; for nobody else
 */
#ifndef IMAPD_THREADPARTS_H
#define IMAPD_THREADPARTS_H

#include "threadtree.h"

/* A new dummy, at the top. */
uint32_t threadparts_dummy(struct threadtree *tree);
bool threadparts_is_dummy(const struct threadtree *tree, uint32_t vertex);
/* Fills `roots` by the parents that vertices have now. */
void threadparts_list_roots(struct threadtree *tree);

/* All of ORDEREDSUBJECT but the order. False without memory. */
bool threadparts_hang_by_subject(struct threadtree *tree);
/* Step 5 of REFERENCES: threads of one subject become one. False without memory. */
bool threadparts_join_subjects(struct threadtree *tree);

#endif
