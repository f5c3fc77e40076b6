extension SpillWriter {
    func compressor(of namespace: UInt32) -> ValueCompressor? {
        if let compressor = compressors[namespace] { return compressor }
        guard namespaces[namespace]?.isCompressed ?? true else { return nil }
        let compressor = ValueCompressor()
        compressors[namespace] = compressor
        return compressor
    }

    /// About 30 ms; without a dictionary, if there is none to be had, the values are compressed each by itself.
    func train(_ compressor: ValueCompressor, namespace: UInt32) {
        let samples = compressor.takeSamples()
        guard let text = DictionaryTrainer().train(samples) else { return }
        let replaced = compressor.dictionary.map { ($0, lastSegment: nextSerial) }
        do throws(SpillFault) {
            guard let dictionary = try storage.dictionaries.add(text, namespace: namespace, replacing: replaced) else { return }
            compressor.adopt(dictionary)
            storage.tally.dictionariesTrained.add()
        } catch {
            storage.tally.noteWriteFailure(error)
        }
    }
}
