/* An intrusive doubly linked list: the node sits inside the object, the list owns nothing. A
 * list head is a node that points at itself; an unlinked node does too, so list_remove may be
 * called twice. */
#ifndef VVE_BASE_LIST_H
#define VVE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev;
    struct list *next;
};

static inline void list_init(struct list *list)
{
    list->prev = list;
    list->next = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_append(struct list *list, struct list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* The object of type `type` whose member `member` is the node `node`. */
#define LIST_OBJECT(node, type, member)                                                        \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Walks the nodes; `next` lets the body remove `node` (and only `node`). */
#define LIST_EACH(head, node, following)                                                       \
    for (struct list *node = (head)->next, *following = node->next; node != (head);            \
         node = following, following = node->next)

#endif
