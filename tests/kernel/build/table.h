#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

struct entry {
    char word[64];
    unsigned long count;
};

struct entry *table_find(const char *word, size_t len);
void table_each(void (*f)(const struct entry *));
int count_words(void);

#endif
