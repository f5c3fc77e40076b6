#include "CSparkData.h"

// Embedded like the demo town's files.
#ifndef __has_embed
#error "The compiler must know C23's #embed: clang 19 or later."
#endif

// #embed is part of C23; clang accepts it in earlier modes with a warning.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char script[] = {
#embed "web/metrics.js"
};

static const unsigned char style[] = {
#embed "web/metrics.css"
};

SparkDataFile spark_page_metrics_script(void) { return (SparkDataFile){script, sizeof script}; }
SparkDataFile spark_page_metrics_style(void) { return (SparkDataFile){style, sizeof style}; }
