#include "table.h"

#include <ctype.h>
#include <stdio.h>

static int next_word(char *word, size_t max)
{
    int c;
    size_t n = 0;
    while ((c = getchar()) != EOF && !isalpha(c))
        ;
    for (; c != EOF && isalpha(c); c = getchar())
        if (n + 1 < max)
            word[n++] = (char)c;
    return (int)n;
}

int count_words(void)
{
    char word[64];
    int n;
    while ((n = next_word(word, sizeof word)) > 0) {
        struct entry *e = table_find(word, (size_t)n);
        if (!e)
            return 1;
        e->count++;
    }
    return 0;
}
