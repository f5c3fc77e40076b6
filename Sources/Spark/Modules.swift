import SparkAccounts
import SparkChat
import SparkFixture
public import SparkKit
import SparkMatching
import SparkMetrics
import SparkProfiles
import SparkPush

/// The modules of Spark. To add a module, add a line here and a target in Package.swift.
public let sparkModules: [any SparkModule.Type] = [
    AccountsModule.self,
    ProfilesModule.self,
    MatchingModule.self,
    ChatModule.self,
    PushModule.self,
    MetricsModule.self,
    FixtureModule.self,
]
