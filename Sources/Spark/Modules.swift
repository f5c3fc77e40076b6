import SparkAccounts
import SparkChat
public import SparkKit
import SparkMatching
import SparkMetrics
import SparkProfiles
import SparkPush

/// The modules that are Spark. A new module is a line here and a target in Package.swift.
public let sparkModules: [any SparkModule.Type] = [
    AccountsModule.self,
    ProfilesModule.self,
    MatchingModule.self,
    ChatModule.self,
    PushModule.self,
    MetricsModule.self,
]
