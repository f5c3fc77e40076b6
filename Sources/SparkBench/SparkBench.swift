import SparkCache

