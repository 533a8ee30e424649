#include "table.h"

#include <string.h>

#define SLOTS 4096

static struct entry table[SLOTS];

struct entry *table_find(const char *word, size_t len)
{
    unsigned long h = 5381;
    for (size_t i = 0; i < len; i++)
        h = h * 33 + (unsigned char)word[i];
    for (size_t i = 0; i < SLOTS; i++) {
        struct entry *e = &table[(h + i) % SLOTS];
        if (e->count == 0)
            memcpy(e->word, word, len);
        if (memcmp(e->word, word, len) == 0 && e->word[len] == 0)
            return e;
    }
    return NULL;
}

void table_each(void (*f)(const struct entry *))
{
    for (size_t i = 0; i < SLOTS; i++)
        if (table[i].count)
            f(&table[i]);
}
