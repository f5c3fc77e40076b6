// All that a module of one's own needs comes with `import Spark`.
@_exported public import HTTPTypes
@_exported public import SparkCore
@_exported public import SparkKit
@_exported public import SparkServer
@_exported public import SparkStorage
