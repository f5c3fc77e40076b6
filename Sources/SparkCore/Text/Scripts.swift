/// The scripts that a character is used in, one bit each. Characters of Chinese, Japanese and Korean also have a bit for the
/// mixture of scripts of that language (UTS 39, section 5.1, "augmented script set").
struct ScriptSet: Equatable, Sendable {
    /// The scripts of a text that has only symbols and digits shared by all scripts.
    static let all = ScriptSet(bits: .init(repeating: .max))
    static let none = ScriptSet(bits: .zero)

    private let bits: SIMD4<UInt64>

    private init(bits: SIMD4<UInt64>) { self.bits = bits }

    /// - Parameter indices: Indices from 0 to 255. Others are ignored.
    fileprivate init(_ indices: some Sequence<Int>) {
        var bits = SIMD4<UInt64>.zero
        for index in indices where (0..<256).contains(index) { bits[index / 64] |= 1 << UInt64(index % 64) }
        self.bits = bits
    }

    var isEmpty: Bool { bits == .zero }

    private func intersection(_ other: ScriptSet) -> ScriptSet { ScriptSet(bits: bits & other.bits) }

    /// The scripts of a scalar according to Script_Extensions (UAX 24); nil for a scalar that all scripts share.
    static func of(_ scalar: Unicode.Scalar) -> ScriptSet? { ScriptTable.shared.scripts(of: scalar.value) }

    /// True if a text is written in one script, or in Latin together with one of the East Asian writing systems: the level
    /// "highly restrictive" of UTS 39, section 5.2.
    static func isOneWriting(_ scalars: some Sequence<Unicode.Scalar>) -> Bool {
        var (whole, withoutLatin) = (all, all)
        for scalar in scalars {
            guard let scripts = of(scalar) else { continue }
            whole = whole.intersection(scripts)
            if scripts.intersection(ScriptTable.shared.latin).isEmpty { withoutLatin = withoutLatin.intersection(scripts) }
        }
        return !whole.isEmpty || !withoutLatin.intersection(ScriptTable.shared.besideLatin).isEmpty
    }
}

/// Maps characters to the scripts that use them.
private struct ScriptTable: Sendable {
    static let shared = ScriptTable()

    let latin: ScriptSet
    /// Han with Bopomofo, Japanese, Korean.
    let besideLatin: ScriptSet
    /// Scalars that are in no range because they are newer than the table. They all count as one script.
    private let unknown: ScriptSet
    /// Ascending, without overlaps.
    private var starts: [UInt32] = []
    private var ends: [UInt32] = []
    private var sets: [ScriptSet] = []

    private init() {
        var indices: [Substring: Int] = [:]
        func index(_ name: Substring) -> Int {
            let known = indices[name] ?? indices.count
            indices[name] = known
            return known
        }
        let mixtures: [Substring: [Substring]] = [
            "Hani": ["Hanb", "Jpan", "Kore"], "Bopo": ["Hanb"], "Hira": ["Jpan"], "Kana": ["Jpan"], "Hang": ["Kore"],
        ]
        latin = ScriptSet([index("Latn")])
        besideLatin = ScriptSet(["Hanb", "Jpan", "Kore"].map { index($0) })
        unknown = ScriptSet([index("Zzzz")])
        var rows: [(start: UInt32, end: UInt32, set: ScriptSet)] = []
        for line in Self.lines.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let names = words.first?.split(separator: "+") else { continue }
            let set = ScriptSet((names + names.flatMap { mixtures[$0] ?? [] }).map { index($0) })
            for range in words.dropFirst() {
                let bounds = range.split(separator: "-").compactMap { UInt32($0, radix: 16) }
                if let start = bounds.first, let end = bounds.last { rows.append((start, end, set)) }
            }
        }
        rows.sort { $0.start < $1.start }
        for row in rows {
            starts.append(row.start)
            ends.append(row.end)
            sets.append(row.set)
        }
    }

    func scripts(of value: UInt32) -> ScriptSet? {
        // Binary search for the last range that begins at or before the value.
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= value { low = middle + 1 } else { high = middle }
        }
        if low > 0, value <= ends[low - 1] { return sets[low - 1] }
        // The table is from Unicode 14. A newer letter counts as its own script.
        guard value >= 0x250, let scalar = Unicode.Scalar(value), let age = scalar.properties.age, age.major > 14,
            scalar.properties.isAlphabetic
        else { return nil }
        return unknown
    }

    /// The property Script_Extensions of Unicode 14.0 (ScriptExtensions.txt and Scripts.txt of the Unicode Character Database),
    /// as Perl's `Unicode::UCD::prop_invmap("Script_Extensions")` returns it, without Common, Inherited and Unknown.
    private static let lines = """
        Adlm 1E900-1E95F
        Aghb 10530-1056F
        Ahom 11700-11746
        Arab 600-604 606-60B 60D-61A 61D-61E 620-63F 641-64A 656-65F 66A-66F 671-6D3 6D5-6DC 6DE-6FF 750-77F 870-8E1 8E3-8FF
        Arab FB50-FD3D FD40-FDF1 FDF3-FDFC FDFE-FDFF FE70-FEFC 10E60-10E7E 1EE00-1EEF1
        Armi 10840-1085F
        Armn 531-58F FB13-FB17
        Avst 10B00-10B3F
        Bali 1B00-1B7E
        Bamu A6A0-A6F7 16800-16A38
        Bass 16AD0-16AF5
        Batk 1BC0-1BFF
        Beng 980-9E3 9F0-9FE 1CF7
        Bhks 11C00-11C6C
        Bopo 2EA-2EB 3105-312F 31A0-31BF
        Brah 11000-1107F
        Brai 2800-28FF
        Bugi 1A00-1A1F
        Buhd 1740-1753
        Cakm 11100-11147
        Cans 1400-167F 18B0-18F5 11AB0-11ABF
        Cari 102A0-102D0
        Cham AA00-AA5F
        Cher 13A0-13FD AB70-ABBF
        Chrs 10FB0-10FCB
        Copt 3E2-3EF 2C80-2CFF
        Cpmn 12F90-12FF2
        Cprt 10800-1083F
        Cyrl 400-482 488-52F 1C80-1C88 1D2B 1D78 2DE0-2DFF A640-A66E A670-A69F FE2E-FE2F
        Deva 900-950 955-963 970-97F 1CD1 1CD4 1CDB 1CDE-1CDF 1CE2-1CE8 1CEB-1CEC 1CEE-1CF1 A8E0-A8F0 A8F2 A8F4-A8FF
        Diak 11900-11959
        Dogr 11800-1183B
        Dsrt 10400-1044F
        Dupl 1BC00-1BCA3
        Egyp 13000-13438
        Elba 10500-10527
        Elym 10FE0-10FF6
        Ethi 1200-1399 2D80-2DDE AB01-AB2E 1E7E0-1E7FE
        Geor 10A0-10FA 10FC-10FF 1C90-1CBF 2D00-2D2D
        Glag 2C00-2C5F 1E000-1E02A
        Gong 11D60-11DA9
        Gonm 11D00-11D59
        Goth 10330-1034A
        Gran 11300 11302 11305-11339 1133D-11374
        Grek 342 345 370-373 375-37D 37F-384 386 388-3E1 3F0-3FF 1D26-1D2A 1D5D-1D61 1D66-1D6A 1DBF-1DC1 1F00-1FFE 2126 AB65
        Grek 10140-1018E 101A0 1D200-1D245
        Gujr A81-AE3 AF0-AFF
        Guru A01-A5E A70-A76
        Hang 1100-11FF 302E-302F 3131-318E 3200-321E 3260-327E A960-A97C AC00-D7FB FFA0-FFDC
        Hani 2E80-2FD5 3005-3007 3021-3029 3038-303B 303E-303F 3190-319F 31C0-31E3 3220-3247 3280-32B0 32C0-32CB 32FF
        Hani 3358-3370 337B-337F 33E0-33FE 3400-4DBF 4E00-9FFF F900-FAD9 16FE2-16FE3 16FF0-16FF1 1D360-1D371 1F250-1F251
        Hani 20000-3134A
        Hano 1720-1734
        Hatr 108E0-108FF
        Hebr 591-5F4 FB1D-FB4F
        Hira 3041-3096 309D-309F 1B001-1B11F 1B150-1B152 1F200
        Hluw 14400-14646
        Hmng 16B00-16B8F
        Hmnp 1E100-1E14F
        Hung 10C80-10CFF
        Ital 10300-1032F
        Java A980-A9CD A9D0-A9DF
        Kali A900-A92D A92F
        Kana 30A1-30FA 30FD-30FF 31F0-31FF 32D0-32FE 3300-3357 FF66-FF6F FF71-FF9D 1AFF0-1B000 1B120-1B122 1B164-1B167
        Khar 10A00-10A58
        Khmr 1780-17F9 19E0-19FF
        Khoj 11200-1123E
        Kits 16FE4 18B00-18CD5
        Knda C80-CE3 CF1-CF2
        Kthi 11080-110CD
        Lana 1A20-1AAD
        Laoo E81-EDF
        Latn 41-5A 61-7A AA BA C0-D6 D8-F6 F8-2B8 2E0-2E4 363-36F 1D00-1D25 1D2C-1D5C 1D62-1D65 1D6B-1D77 1D79-1DBE 1E00-1EFF
        Latn 2071 207F 2090-209C 212A-212B 2132 214E 2160-2188 2C60-2C7F A722-A787 A78B-A7FF AB30-AB5A AB5C-AB64 AB66-AB69
        Latn FB00-FB06 FF21-FF3A FF41-FF5A 10780-107BA 1DF00-1DF1E
        Lepc 1C00-1C4F
        Limb 1900-194F
        Lina 10600-10767
        Linb 10000-100FA
        Lisu A4D0-A4FF 11FB0
        Lyci 10280-1029C
        Lydi 10920-1093F
        Mahj 11150-11176
        Maka 11EE0-11EF8
        Mand 840-85E
        Mani 10AC0-10AF1 10AF3-10AF6
        Marc 11C70-11CB6
        Medf 16E40-16E9A
        Mend 1E800-1E8D6
        Merc 109A0-109FF
        Mero 10980-1099F
        Mlym D00-D7F
        Modi 11600-11659
        Mong 1800-1801 1804 1806-18AA 11660-1166C
        Mroo 16A40-16A6F
        Mtei AAE0-AAF6 ABC0-ABF9
        Mult 11280-112A9
        Mymr 1000-103F 104A-109F A9E0-A9FE AA60-AA7F
        Nand 1CFA 119A0-119E4
        Narb 10A80-10A9F
        Nbat 10880-108AF
        Newa 11400-11461
        Nkoo 7C0-7FF
        Nshu 16FE1 1B170-1B2FB
        Ogam 1680-169C
        Olck 1C50-1C7F
        Orkh 10C00-10C48
        Orya B01-B77
        Osge 104B0-104FB
        Osma 10480-104A9
        Ougr 10F70-10F89
        Palm 10860-1087F
        Pauc 11AC0-11AF8
        Perm 10350-1037A
        Phag A840-A877
        Phli 10B60-10B7F
        Phlp 10B80-10BAF
        Phnx 10900-1091F
        Plrd 16F00-16F9F
        Prti 10B40-10B5F
        Rjng A930-A95F
        Rohg 10D00-10D39
        Runr 16A0-16EA 16EE-16F8
        Samr 800-83E
        Sarb 10A60-10A7F
        Saur A880-A8D9
        Sgnw 1D800-1DAAF
        Shaw 10450-1047F
        Shrd 11180-111DF
        Sidd 11580-115DD
        Sind 112B0-112F9
        Sinh D81-DF4 111E1-111F4
        Sogd 10F30-10F59
        Sogo 10F00-10F27
        Sora 110D0-110F9
        Soyo 11A50-11AA2
        Sund 1B80-1BBF 1CC0-1CC7
        Sylo A800-A82C
        Syrc 700-74F 860-86A 1DFA
        Tagb 1760-1773
        Takr 11680-116C9
        Tale 1950-1974
        Talu 1980-19DF
        Taml B82-BD7 BF4-BFA 11FC0-11FCF 11FD2 11FD4-11FFF
        Tang 16FE0 17000-18AFF 18D00-18D08
        Tavt AA80-AADF
        Telu C00-C7F
        Tfng 2D30-2D7F
        Tglg 1700-171F
        Thaa 780-7B1
        Thai E01-E3A E40-E5B
        Tibt F00-FD4 FD9-FDA
        Tirh 11480-114D9
        Tnsa 16A70-16AC9
        Toto 1E290-1E2AE
        Ugar 10380-1039F
        Vaii A500-A62B
        Vith 10570-105BC
        Wara 118A0-118FF
        Wcho 1E2C0-1E2FF
        Xpeo 103A0-103D5
        Xsux 12000-12543
        Yezi 10E80-10EB1
        Yiii A000-A4C6
        Zanb 11A00-11A47
        Adlm+Arab+Mand+Mani+Ougr+Phlp+Rohg+Sogd+Syrc 640
        Adlm+Arab+Nkoo+Rohg+Syrc+Thaa+Yezi 61F
        Arab+Copt 102E0-102FB
        Arab+Nkoo FD3E-FD3F
        Arab+Nkoo+Rohg+Syrc+Thaa+Yezi 60C 61B
        Arab+Rohg 6D4
        Arab+Syrc 64B-655 670
        Arab+Syrc+Thaa 61C
        Arab+Thaa FDF2 FDFD
        Arab+Thaa+Yezi 660-669
        Beng+Cakm+Sylo 9E6-9EF
        Beng+Deva 1CD5-1CD6 1CD8 1CE1 1CEA 1CED 1CF5-1CF6 A8F1
        Beng+Deva+Dogr+Gong+Gonm+Gran+Gujr+Guru+Knda+Limb+Mahj+Mlym+Nand+Orya+Sind+Sinh+Sylo+Takr+Taml+Telu+Tirh 965
        Beng+Deva+Dogr+Gong+Gonm+Gran+Gujr+Guru+Knda+Mahj+Mlym+Nand+Orya+Sind+Sinh+Sylo+Takr+Taml+Telu+Tirh 964
        Beng+Deva+Gran+Gujr+Guru+Knda+Latn+Mlym+Orya+Shrd+Taml+Telu+Tirh 951
        Beng+Deva+Gran+Gujr+Guru+Knda+Latn+Mlym+Orya+Taml+Telu+Tirh 952
        Beng+Deva+Gran+Knda 1CD0 1CD2
        Beng+Deva+Gran+Knda+Nand+Orya+Telu+Tirh 1CF2
        Bopo+Hang+Hani+Hira+Kana 3003 3013 301C-301F 3030 3037 FE45-FE46
        Bopo+Hang+Hani+Hira+Kana+Yiii 3001-3002 3008-3011 3014-301B 30FB FF61-FF65
        Bopo+Hani 302A-302D
        Bugi+Java A9CF
        Buhd+Hano+Tagb+Tglg 1735-1736
        Cakm+Mymr+Tale 1040-1049
        Cpmn+Cprt+Linb 10100-10101
        Cprt+Lina+Linb 10107-10133
        Cprt+Linb 10102 10137-1013F
        Cyrl+Glag 484 487 2E43 A66F
        Cyrl+Latn 485-486
        Cyrl+Perm 483
        Cyrl+Syrc 1DF8
        Deva+Dogr+Gujr+Guru+Khoj+Knda+Kthi+Mahj+Mlym+Modi+Nand+Sind+Takr+Tirh A830-A832
        Deva+Dogr+Gujr+Guru+Khoj+Knda+Kthi+Mahj+Modi+Nand+Sind+Takr+Tirh A833-A835
        Deva+Dogr+Gujr+Guru+Khoj+Kthi+Mahj+Modi+Sind+Takr+Tirh A836-A839
        Deva+Dogr+Kthi+Mahj 966-96F
        Deva+Gran 1CD3 1CF3 1CF8-1CF9
        Deva+Gran+Knda 1CF4
        Deva+Gran+Latn 20F0
        Deva+Knda+Mlym+Orya+Taml+Telu 1CDA
        Deva+Nand 1CE9
        Deva+Shrd 1CD7 1CD9 1CDC-1CDD 1CE0
        Deva+Taml A8F3
        Geor+Latn 10FB
        Gran+Taml BE6-BF3 11301 11303 1133B-1133C 11FD0-11FD1 11FD3
        Gujr+Khoj AE6-AEF
        Guru+Mult A66-A6F
        Hani+Hira+Kana 303C-303D
        Hani+Latn A700-A707
        Hira+Kana 3031-3035 3099-309C 30A0 30FC FF70 FF9E-FF9F
        Kali+Latn+Mymr A92E
        Knda+Nand CE6-CEF
        Latn+Mong 202F
        Mani+Ougr 10AF2
        Mong+Phag 1802-1803 1805
        """
}
