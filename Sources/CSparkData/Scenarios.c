#include "CSparkData.h"

// Embedded as in Demo.c.
#ifndef __has_embed
#error "The compiler must know C23's #embed: clang 19 or later."
#endif

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char empty[] = {
#embed "../../data/scenarios/empty.yaml"
};

static const unsigned char strangers[] = {
#embed "../../data/scenarios/strangers.yaml"
};

static const unsigned char liked[] = {
#embed "../../data/scenarios/liked.yaml"
};

static const unsigned char matched[] = {
#embed "../../data/scenarios/matched.yaml"
};

static const unsigned char blocked[] = {
#embed "../../data/scenarios/blocked.yaml"
};

static const unsigned char busy[] = {
#embed "../../data/scenarios/busy.yaml"
};

static const unsigned char spam[] = {
#embed "../../data/scenarios/spam.yaml"
};

static const unsigned char closed[] = {
#embed "../../data/scenarios/closed.yaml"
};

static const unsigned char town[] = {
#embed "../../data/scenarios/town.yaml"
};

#define SCENARIO(name) {#name, {name, sizeof name}}

static const SparkNamedFile scenarios[] = {
    SCENARIO(empty), SCENARIO(strangers), SCENARIO(liked), SCENARIO(matched), SCENARIO(blocked),
    SCENARIO(busy), SCENARIO(spam), SCENARIO(closed), SCENARIO(town),
};

size_t spark_data_scenario_count(void) { return sizeof scenarios / sizeof *scenarios; }

SparkNamedFile spark_data_scenario(size_t index) { return scenarios[index]; }
