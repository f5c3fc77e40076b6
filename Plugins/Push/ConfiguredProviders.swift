extension PushProviderSettings {
    /// The platforms that the operator has configured, in part or whole.
    var configured: [PushPlatform] {
        var services: [PushPlatform] = [.webpush]
        if !apnsKeyFile.isEmpty || !webhookURL.isEmpty { services.append(.apns) }
        if !fcmCredentialsFile.isEmpty || !webhookURL.isEmpty { services.append(.fcm) }
        return services
    }
}
