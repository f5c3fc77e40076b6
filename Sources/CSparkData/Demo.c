#include "CSparkData.h"

// Embedded rather than shipped as resources, so that the binary is one file and needs no other at run time.
// The compiler lists the embedded files among the dependencies of this one: a changed file is embedded again.
#ifndef __has_embed
#error "The compiler must know C23's #embed: clang 19 or later."
#endif

// #embed is part of C23; clang accepts it in earlier modes with a warning.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char cities[] = {
#embed "../../data/demo/cities.csv"
};

static const unsigned char names[] = {
#embed "../../data/demo/names.csv"
};

static const unsigned char interests[] = {
#embed "../../data/demo/interests.txt"
};

static const unsigned char bios[] = {
#embed "../../data/demo/bios.txt"
};

SparkDataFile spark_data_cities(void) { return (SparkDataFile){cities, sizeof cities}; }
SparkDataFile spark_data_names(void) { return (SparkDataFile){names, sizeof names}; }
SparkDataFile spark_data_interests(void) { return (SparkDataFile){interests, sizeof interests}; }
SparkDataFile spark_data_bios(void) { return (SparkDataFile){bios, sizeof bios}; }
