/* See census.h. A small hash table of lists. */
#include "net/census.h"

#include "base/hash.h"
#include "base/mem.h"
#include "net/client.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct list node; /* in its bucket */
    size_t count;
    char client[CLIENT_NAME_CAP];
};

static struct list *bucket_of(struct census *census, const char *client)
{
    return &census->buckets[hash_of(view_of(client)) % CENSUS_BUCKETS];
}

static struct entry *find(struct list *bucket, const char *client)
{
    LIST_EACH (bucket, node, next) {
        struct entry *entry = LIST_OBJECT(node, struct entry, node);
        if (strcmp(entry->client, client) == 0) {
            return entry;
        }
    }
    return NULL;
}

void census_init(struct census *census)
{
    for (size_t i = 0; i < CENSUS_BUCKETS; i++) {
        list_init(&census->buckets[i]);
    }
    census->total = 0;
}

void census_finish(struct census *census)
{
    for (size_t i = 0; i < CENSUS_BUCKETS; i++) {
        LIST_EACH (&census->buckets[i], node, next) {
            list_remove(node);
            free(LIST_OBJECT(node, struct entry, node));
        }
    }
    census->total = 0;
}

size_t census_enter(struct census *census, const char *client)
{
    struct list *bucket = bucket_of(census, client);
    struct entry *entry = find(bucket, client);
    if (entry == NULL) {
        entry = mem_alloc(sizeof *entry);
        snprintf(entry->client, sizeof entry->client, "%s", client);
        list_append(bucket, &entry->node);
    }
    census->total++;
    return ++entry->count;
}

void census_leave(struct census *census, const char *client)
{
    struct entry *entry = find(bucket_of(census, client), client);
    assert(entry != NULL);
    census->total--;
    if (--entry->count == 0) {
        list_remove(&entry->node);
        free(entry);
    }
}
