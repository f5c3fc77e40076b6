import Spark

/// What `spark doctor` says about the unit of systemd. Pure: facts come in, rows go out.
enum UnitChecks {
    /// - Parameters:
    ///   - place: the folder of the backups, or the nearest one above that exists, without links.
    ///   - shown: the folder as it is set, from the root.
    ///   - mounts: the file systems as the running server sees them; nil if none runs.
    ///   - unit: the installed unit; nil if there is none.
    /// - Returns: nil when nothing is known.
    static func place(_ place: String, shown: String, mounts: MountTable?, unit: SystemdUnitFiles?) -> DoctorRow? {
        let check = "unit"
        let advice =
            "systemctl edit spark, add [Service] and ReadWritePaths=\(shown), then systemctl restart spark; "
            + "spark export systemd-unit writes it by itself"
        if let mount = mounts?.mount(of: place) {
            return mount.isReadOnly
                ? .fault(check, "the running server may not write to \(shown), where the backups go", advice)
                : .ok(check, "the running server may write to \(shown)")
        }
        guard let unit, unit.protection == "strict" else { return nil }
        let isAllowed = unit.writable.contains { place == $0 || place.hasPrefix($0 == "/" ? "/" : "\($0)/") || shown == $0 }
        return isAllowed
            ? .ok(check, "spark.service lets the server write to \(shown)")
            : .fault(check, "spark.service does not let the server write to \(shown), where the backups go", advice)
    }
}
