/* SPDX-License-Identifier: Apache-2.0
 *
 * How libFuzzer changes inputs that are JSON: one value, anywhere, becomes another one, another's copy, or nothing; now
 * and then bytes change as in any other input. So what is reached lies behind the parser, too. Linked into targets that
 * say MUTATOR json.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t n_bytes, size_t max_bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n_bytes, size_t max_bytes, unsigned int seed);

static const char *const values[] = {
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "3",
    "65536",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "1.5",
    "\"\"",
    "\"a\"",
    "\"1\"",
    "\"-1\"",
    "\"1m\"",
    "\"true\"",
    "\"/a\"",
    "\"/a/../b\"",
    "\"a:b\"",
    "\"a=b\"",
    "\"none\"",
    "\"host\"",
    "\"container:a\"",
    "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"",
    "\"\\u0001\"",
    "\"\\u00e4\"",
    "[]",
    "{}",
    "[\"a\"]",
    "[1]",
    "[null]",
    "[[]]",
    "[{}]",
    "{\"a\":\"b\"}",
    "{\"a\":1}",
    "{\"a\":{}}",
    "{\"a\":null}",
    "{\"\":\"\"}",
};

/* ---- finding a value by its number, in the order in which they are written ----------------------------------------
 */

struct search {
    size_t left;     /* values before it */
    json_t *parent;  /* found in; NULL: it is the whole */
    const char *key; /* in an object */
    size_t index;    /* in an array */
    json_t *value;
};

static bool find(json_t *value, struct search *search)
{
    if (search->left == 0) {
        search->value = value;
        return true;
    }
    search->left--;
    const char *key;
    json_t *child;
    size_t index;
    json_object_foreach(value, key, child)
    {
        if (find(child, search)) {
            if (!search->parent) {
                search->parent = value;
                search->key = key;
            }
            return true;
        }
    }
    json_array_foreach(value, index, child)
    {
        if (find(child, search)) {
            if (!search->parent) {
                search->parent = value;
                search->index = index;
            }
            return true;
        }
    }
    return false;
}

static size_t count(json_t *value)
{
    struct search all = {.left = SIZE_MAX};
    (void)find(value, &all);
    return SIZE_MAX - all.left;
}

/* ---- changing it ----------------------------------------------------------------------------------------------- */

static json_t *another_value(json_t *root, size_t n_values, unsigned int *random)
{
    struct search donor = {.left = (size_t)rand_r(random) % n_values};
    if (rand_r(random) % 4 == 0 && find(root, &donor)) {
        return json_deep_copy(donor.value);
    }
    const char *text = values[(size_t)rand_r(random) % (sizeof(values) / sizeof(values[0]))];
    return json_loads(text, JSON_DECODE_ANY, NULL);
}

static void replace(const struct search *place, json_t *value)
{
    if (place->key) {
        (void)json_object_set_new(place->parent, place->key, value);
    } else {
        (void)json_array_set_new(place->parent, place->index, value);
    }
}

static void drop(const struct search *place)
{
    if (place->key) {
        (void)json_object_del(place->parent, place->key);
    } else {
        (void)json_array_remove(place->parent, place->index);
    }
}

static void change(json_t *root, unsigned int *random)
{
    size_t n_values = count(root);
    struct search place = {.left = (size_t)rand_r(random) % n_values};
    if (!find(root, &place) || !place.parent) {
        return;
    }
    switch (rand_r(random) % 8) {
    case 0:
        drop(&place);
        return;
    case 1:
        if (json_is_array(place.value)) {
            (void)json_array_append_new(place.value, another_value(root, n_values, random));
            return;
        }
        break;
    case 2:
        if (json_is_object(place.value)) {
            (void)json_object_set_new(place.value, "a", another_value(root, n_values, random));
            return;
        }
        break;
    default:
        break;
    }
    replace(&place, another_value(root, n_values, random));
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n_bytes, size_t max_bytes, unsigned int seed)
{
    unsigned int random = seed;
    json_t *root = json_loadb((const char *)bytes, n_bytes, 0, NULL);
    if (!root || rand_r(&random) % 8 == 0) {
        json_decref(root);
        return LLVMFuzzerMutate(bytes, n_bytes, max_bytes);
    }
    for (int times = 1 + rand_r(&random) % 3; times > 0; times--) {
        change(root, &random);
    }
    size_t n = json_dumpb(root, (char *)bytes, max_bytes, JSON_COMPACT);
    json_decref(root);
    return n > 0 && n <= max_bytes ? n : LLVMFuzzerMutate(bytes, n_bytes, max_bytes);
}
