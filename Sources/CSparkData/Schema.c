#include "CSparkData.h"

// Embedded like the demo town's files.
#ifndef __has_embed
#error "The compiler must know C23's #embed: clang 19 or later."
#endif

// #embed is part of C23; clang accepts it in earlier modes with a warning.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char schema[] = {
#embed "../../data/schema.sql"
};

SparkDataFile spark_data_schema(void) { return (SparkDataFile){schema, sizeof schema}; }

static const unsigned char database[] = {
#embed "../../data/schema.db"
};

SparkDataFile spark_data_new_database(void) { return (SparkDataFile){database, sizeof database}; }
