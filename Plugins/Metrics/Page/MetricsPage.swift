/// The page at `/_/metrics`: headings, one figure per panel and the alerts. Its script fills in charts and tables.
enum MetricsPage {
    static let html: String = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Spark: metrics</title>
        <link rel="stylesheet" href="/_/metrics.css">
        <link rel="icon" href="/_/icon.svg" type="image/svg+xml">
        <script src="/_/metrics.js" defer></script>
        </head>
        <body>
        <header>
        <h1>Spark: metrics</h1>
        <fieldset>
        <legend>Time</legend>
        <label><input type="radio" name="window" value="hour" checked> last hour</label>
        <label><input type="radio" name="window" value="day"> last day</label>
        </fieldset>
        <p id="status" role="status">Reading …</p>
        </header>
        <main>
        <noscript><p>The charts are drawn by a script. <a href="/metrics">All values as text</a></p></noscript>
        <section aria-labelledby="alerts-title">
        <h2 id="alerts-title">Alerts</h2>
        <ul id="alerts"><li>Reading …</li></ul>
        </section>
        \(PanelGroup.all.enumerated().map { section($1, $0) }.joined(separator: "\n"))
        </main>
        <footer><p><a href="/metrics">All values in Prometheus's format</a></p></footer>
        </body>
        </html>

        """

    static let icon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M9 1 3 9h4l-1 6 7-9H8z" fill="#b3470a"/></svg>
        """

    private static func section(_ group: PanelGroup, _ number: Int) -> String {
        """
        <section aria-labelledby="group-\(number)">
        <h2 id="group-\(number)">\(escaped(group.title))</h2>
        <div class="panels">
        \(group.panels.map(figure).joined(separator: "\n"))
        </div>
        </section>
        """
    }

    private static func figure(_ panel: Panel) -> String {
        let name = panel.identifier
        return """
            <figure id="panel-\(name)" data-panel="\(name)" data-unit="\(panel.unit.rawValue)">
            <figcaption id="title-\(name)">\(escaped(panel.title))</figcaption>
            <svg role="img" aria-labelledby="title-\(name)" viewBox="0 0 400 160"></svg>
            <table>
            <caption class="hidden">\(escaped(panel.title)): newest and highest values</caption>
            <thead><tr><th scope="col">Line</th><th scope="col">Now</th><th scope="col">Highest</th></tr></thead>
            <tbody></tbody>
            </table>
            </figure>
            """
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
            "\"", with: "&quot;")
    }
}
