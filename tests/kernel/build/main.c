#include "table.h"

#include <stdio.h>

static void print(const struct entry *e)
{
    printf("%s %lu\n", e->word, e->count);
}

int main(void)
{
    if (count_words())
        return 1;
    table_each(print);
    return 0;
}
