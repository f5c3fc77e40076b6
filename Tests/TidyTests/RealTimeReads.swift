/// Every place of the product that reads real time instead of the server's clock, or waits by it.
///
/// An ephemeral server follows the clock that its test moves. A new line here needs a reason why it must not.
enum RealTimeReads {
    private static let measures = "Measures how long something takes."
    private static let deadline = "Bounds how long something waits for work that takes real time."
    private static let pace = "Divides real time between this work and other work."
    private static let connection = "Deadlines, idle time and heartbeats of a connection, whose peer lives in real time."
    private static let outside = "The other side is another machine, which follows real time."
    private static let files = "Compares with times that the kernel gave to files."
    private static let backup = "Backups, of which an ephemeral server makes none."
    private static let client = "A client, which waits for a server in real time."
    private static let program = "A verb of the command line, not a server."

    /// The number of lines and the reason, by file.
    static let all: [String: (lines: Int, reason: String)] = [
        "Plugins/Accounts/AccountsService.swift": (3, pace),
        "Plugins/Accounts/Passwords/GuessGate.swift": (
            1, "A wrong password delays its own answer, which is a wait of the client. Locks follow the clock."
        ),
        "Plugins/Accounts/Passwords/PasswordHasher.swift": (2, measures),
        "Plugins/Accounts/PersonalExport.swift": (3, pace),
        "Plugins/Accounts/Store/SQLiteAccountsStore.swift": (2, pace),
        "Plugins/Chat/ChatService.swift": (1, measures),
        "Plugins/Chat/Sending/MessageWriter.swift": (1, measures),
        "Plugins/Chat/Sending/PendingSend.swift": (1, measures),
        "Plugins/Chat/Store/HeldMessages.swift": (1, measures),
        "Plugins/Chat/Stream/ChatClientFrames.swift": (2, measures + " The other is a case of an enumeration."),
        "Plugins/Matching/Deck/DeckIndexService.swift": (2, measures),
        "Plugins/Matching/Deck/DeckIndexSync.swift": (5, measures + " A read of the index waits until it is filled."),
        "Plugins/Matching/MatchingService.swift": (4, measures),
        "Plugins/Metrics/Alerts/Running/AlertWebhook.swift": (4, outside),
        "Plugins/Push/Providers/WebPush/HostResolver.swift": (3, outside),
        "Plugins/Push/Providers/Wire/Deadline.swift": (4, outside),
        "Plugins/Push/Sending/WakeUp.swift": (
            1, "The alarm of a lane looks at the clock once a second; a move of the clock wakes the lane itself."
        ),
        "Sources/CSparkSystem/CSparkSystem.c": (2, files),
        "Sources/CSparkSystem/include/CSparkSystem.h": (1, files),
        "Sources/SparkAudit/People/AuditAccount.swift": (5, program),
        "Sources/SparkBackup/Archive/ArchiveUpload.swift": (7, backup),
        "Sources/SparkBackup/Archive/LogArchive.swift": (1, backup),
        "Sources/SparkBackup/Making/BackupJob.swift": (2, backup),
        "Sources/SparkBackup/Making/SnapshotReader.swift": (3, backup),
        "Sources/SparkBackup/Restoring/BackupDrill.swift": (1, backup),
        "Sources/SparkBackup/Restoring/Restoration.swift": (1, backup),
        "Sources/SparkBackup/Restoring/ScratchFolder.swift": (1, backup),
        "Sources/SparkBackup/S3/KernelClock.swift": (1, backup),
        "Sources/SparkBackup/S3/S3Client.swift": (4, backup),
        "Sources/SparkBackup/S3/S3Pulse.swift": (3, backup),
        "Sources/SparkBackup/S3/S3Store.swift": (1, backup),
        "Sources/SparkBackup/Stores/DirectoryStore.swift": (1, backup),
        "Sources/SparkCache/Spill/BlockingIO.swift": (1, pace),
        "Sources/SparkCache/Spill/SpillConfiguration.swift": (1, pace),
        "Sources/SparkClient/ServerProbe.swift": (1, client),
        "Sources/SparkClient/Session/SparkSession.swift": (5, client),
        "Sources/SparkClient/Session/SparkStream.swift": (12, client),
        "Sources/SparkCommand/Audit.swift": (3, program),
        "Sources/SparkCommand/BackupKey.swift": (1, program),
        "Sources/SparkCommand/Doctor/BackupChecks.swift": (1, program),
        "Sources/SparkCommand/Doctor/Doctor.swift": (3, program),
        "Sources/SparkCommand/Doctor/PortProbe.swift": (1, program),
        "Sources/SparkCommand/Health.swift": (1, program),
        "Sources/SparkCommand/Operators/OperatorLink.swift": (6, program),
        "Sources/SparkCommand/ProcessEnvironment.swift": (1, program),
        "Sources/SparkCommand/RestoreCommand.swift": (2, program),
        "Sources/SparkCommand/Seed.swift": (3, program),
        "Sources/SparkCommand/ServerDiary.swift": (1, program),
        "Sources/SparkCommand/StopSignals.swift": (4, program),
        "Sources/SparkCommand/Support/Support.swift": (1, program),
        "Sources/SparkCommand/Top/Top.swift": (3, program),
        "Sources/SparkCommand/Upgrade/AnsweringServer.swift": (6, program),
        "Sources/SparkCommand/Upgrade/ProgramRun.swift": (8, program),
        "Sources/SparkCommand/Upgrade/ReadReplay.swift": (1, program),
        "Sources/SparkFiles/FileStatus.swift": (1, files),
        "Sources/SparkHTTP/Channel/ArrivingBody.swift": (2, measures),
        "Sources/SparkHTTP/Channel/BodyWatch.swift": (1, connection),
        "Sources/SparkHTTP/Channel/ReaderWatch.swift": (1, connection),
        "Sources/SparkHTTP/Channel/RequestHandler.swift": (13, connection),
        "Sources/SparkHTTP/Dispatch/AccessLog.swift": (3, measures),
        "Sources/SparkHTTP/Dispatch/Dispatcher.swift": (1, "The fault `http.delay`, whose client waits in real time."),
        "Sources/SparkHTTP/Dispatch/EdgeMetrics.swift": (3, measures),
        "Sources/SparkHTTP/Doors/RequestGate.swift": (3, deadline),
        "Sources/SparkHTTP/Listeners/Listener.swift": (3, connection),
        "Sources/SparkHTTP/TLS/CertificateWatch.swift": (1, "Files change by real time."),
        "Sources/SparkHTTP/TLS/TLSEntrance.swift": (2, connection),
        "Sources/SparkHTTP/Upgrade/UpgradeGateway.swift": (4, measures),
        "Sources/SparkHTTP/Upgrade/UpgradeOffer.swift": (2, connection),
        "Sources/SparkServer/Backup/ArchiveService.swift": (1, backup),
        "Sources/SparkServer/Backup/BackupPlace.swift": (1, backup),
        "Sources/SparkServer/Backup/BackupSchedule.swift": (6, backup),
        "Sources/SparkServer/Backup/BackupService.swift": (8, backup),
        "Sources/SparkServer/Backup/DrillProcess.swift": (2, backup),
        "Sources/SparkServer/Backup/DrillRun.swift": (3, backup),
        "Sources/SparkServer/Backup/DrillService.swift": (5, backup),
        "Sources/SparkKit/Fixture/FixtureLog.swift": (3, "A test waits for an entry in real time."),
        "Sources/SparkServer/Boot/ServerFront.swift": (1, deadline),
        "Sources/SparkServer/Data/CommitLog.swift": (3, files),
        "Sources/SparkServer/Data/SetAside.swift": (1, files),
        "Sources/SparkServer/Data/TemporaryLeftovers.swift": (2, files),
        "Sources/SparkServer/Fixture/ClonedServer.swift": (1, deadline),
        "Sources/SparkServer/Logging/JournalOutput.swift": (3, deadline),
        "Sources/SparkServer/Logging/LineLogHandler.swift": (
            1, "Log lines have the real time, so that they can be compared with the logs of the test."
        ),
        "Sources/SparkServer/Logging/ProgressBar.swift": (3, pace),
        "Sources/SparkServer/Operators/OperatorSocket.swift": (4, deadline),
        "Sources/SparkServer/Operators/UnixSocket.swift": (3, deadline),
        "Sources/SparkServer/Running/Readiness.swift": (
            5, deadline + " A result is used again for half a second, so that probes are no load."
        ),
        "Sources/SparkServer/Running/StorageWatch.swift": (1, deadline),
        "Sources/SparkServer/Running/SystemWallClock.swift": (
            1, "The wall clock itself. Nothing else reads the time of day in a server."
        ),
        "Sources/SparkServer/Server.swift": (
            1, "The clock of a server that nobody gave another one; an ephemeral server puts its own over it."
        ),
        "Sources/SparkServer/Telemetry/LoopLag.swift": (4, measures),
        "Sources/SparkServer/Time/TimedWorkService.swift": (2, "The one loop of timed work by real time."),
        "Sources/SparkServer/Upgrade/UpgradedCopy.swift": (2, program),
        "Sources/SparkStorage/Connections/ReaderLock.swift": (3, deadline),
        "Sources/SparkStorage/SQLiteStorage.swift": (2, measures),
        "Sources/SparkStorage/Writing/Checkpointer.swift": (2, pace),
        "Sources/SparkStorage/Writing/WriteQueue.swift": (7, deadline + " " + measures + " The fault `writer.slow`."),
        "Sources/SparkStream/EventFeed.swift": (1, connection),
        "Sources/SparkStream/FrameBudget.swift": (5, connection),
        "Sources/SparkStream/Hub.swift": (3, deadline),
        "Sources/SparkStream/LoopQueue.swift": (2, connection),
        "Sources/SparkStream/StreamService.swift": (3, deadline),
        "Sources/SparkStream/StreamSession.swift": (12, connection),
        "Sources/SparkStream/StreamWork.swift": (3, deadline),
        "Sources/SparkTesting/FixtureChild.swift": (2, "A test, which waits in real time for a process to start and to end."),
        "Sources/SparkWebSocket/WebSocketHandler.swift": (1, connection),
    ]
}
