extension PushProviderSettings {
    /// The services that the operator has set up, in part or whole.
    var configured: [PushPlatform] {
        var services: [PushPlatform] = [.webpush]
        if !apnsKeyFile.isEmpty || !webhookURL.isEmpty { services.append(.apns) }
        if !fcmCredentialsFile.isEmpty || !webhookURL.isEmpty { services.append(.fcm) }
        return services
    }
}
