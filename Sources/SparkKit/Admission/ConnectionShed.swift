/// A user event in a connection's pipeline: the connection must close to make room for others.
package struct ConnectionShed: Sendable {
    /// What there is too little of.
    package let resource: AdmissionResource

    /// The event for a resource.
    package init(resource: AdmissionResource) { self.resource = resource }
}
