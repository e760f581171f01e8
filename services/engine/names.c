/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of containers; see names.h.
 */
#include <stdio.h>
#include <string.h>

#include "services/engine/names.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static const char *const adjectives[] = {
    "able",   "agile",   "amber",  "bold",    "brave",   "bright", "brisk",  "calm",   "careful", "cheerful",
    "clever", "coral",   "cosmic", "crisp",   "daring",  "deep",   "eager",  "fair",   "famous",  "fearless",
    "fine",   "fond",    "free",   "gallant", "gentle",  "glad",   "golden", "grand",  "happy",   "hardy",
    "honest", "hopeful", "humble", "jolly",   "keen",    "kind",   "lively", "lucid",  "lucky",   "mellow",
    "mild",   "modest",  "nimble", "noble",   "patient", "placid", "proud",  "quick",  "quiet",   "ready",
    "robust", "serene",  "sharp",  "silent",  "sincere", "steady", "stoic",  "sturdy", "sunny",   "swift",
    "tender", "tidy",    "trusty", "upbeat",  "vivid",   "warm",   "wise",   "witty",  "zealous", "zen",
};
static const char *const surnames[] = {
    "abel",    "adams",       "anning",   "archimedes", "babbage",  "beaufort", "bell",     "bernoulli", "bohr",
    "boole",   "carson",      "cauchy",   "church",     "cook",     "curie",    "darwin",   "dijkstra",  "drake",
    "easley",  "einstein",    "euclid",   "euler",      "faraday",  "fermat",   "fermi",    "feynman",   "franklin",
    "galileo", "gauss",       "germain",  "goldberg",   "hamilton", "hawking",  "hertz",    "hopper",    "hypatia",
    "jackson", "johnson",     "joliot",   "kepler",     "kilby",    "knuth",    "lamarr",   "lamport",   "leibniz",
    "liskov",  "lovelace",    "magellan", "maxwell",    "meitner",  "mendel",   "mercator", "moore",     "napier",
    "newton",  "nightingale", "noether",  "pascal",     "pasteur",  "perlman",  "planck",   "plimsoll",  "ptolemy",
    "raman",   "ride",        "ritchie",  "rubin",      "shannon",  "tesla",    "thompson", "torvalds",  "turing",
    "volta",   "wiles",       "wozniak",  "wright",     "yalow",    "yonath",
};

int name_check(const char *text, char ret_name[static BH_NAME_BYTES_MAX + 1], struct bh_error *error)
{
    const char *name = text[0] == '/' ? text + 1 : text;
    size_t length = strlen(name);
    if (length < 2 || strspn(name, LETTERS "_.-") != length || strspn(name, LETTERS) == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
    }
    if (length > BH_NAME_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "Invalid container name (%.40s...): it has %zu characters, at most %d", name, length,
                            BH_NAME_BYTES_MAX);
    }
    memcpy(ret_name, name, length + 1);
    return 0;
}

const char *name_invent(uint32_t random, unsigned attempt, char buffer[static BH_NAME_BYTES_MAX + 1])
{
    const size_t n_adjectives = sizeof adjectives / sizeof *adjectives, n_surnames = sizeof surnames / sizeof *surnames;
    const char *adjective = adjectives[random % n_adjectives];
    const char *surname = surnames[random / n_adjectives % n_surnames];
    if (attempt == 0) {
        (void)snprintf(buffer, BH_NAME_BYTES_MAX + 1, "%s_%s", adjective, surname);
    } else {
        (void)snprintf(buffer, BH_NAME_BYTES_MAX + 1, "%s_%s%u", adjective, surname, attempt);
    }
    return buffer;
}
