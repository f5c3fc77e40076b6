#ifndef SPARK_CSPARKDATA_H
#define SPARK_CSPARKDATA_H

#include <stddef.h>

/// The bytes of a file of the package, as they were when the package was built.
/// They are in the binary and are never freed; no zero byte follows them.
typedef struct {
    const unsigned char *_Nonnull bytes;
    size_t length;
} SparkDataFile;

/// data/demo/cities.csv
SparkDataFile spark_data_cities(void);
/// data/demo/names.csv
SparkDataFile spark_data_names(void);
/// data/demo/interests.txt
SparkDataFile spark_data_interests(void);
/// data/demo/bios.txt
SparkDataFile spark_data_bios(void);

/// A file with its name.
typedef struct {
    const char *_Nonnull name;
    SparkDataFile file;
} SparkNamedFile;

/// The number of files in data/scenarios.
size_t spark_data_scenario_count(void);
/// A file of data/scenarios, named without its extension; the index is below the count.
SparkNamedFile spark_data_scenario(size_t index);

/// data/schema.sql
SparkDataFile spark_data_schema(void);

/// data/schema.db
SparkDataFile spark_data_new_database(void);

/// web/metrics.js
SparkDataFile spark_page_metrics_script(void);
/// web/metrics.css
SparkDataFile spark_page_metrics_style(void);

#endif
