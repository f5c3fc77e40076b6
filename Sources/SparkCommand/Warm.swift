@main enum Warm { static func main() {} }
