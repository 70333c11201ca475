extension TokenizerComponents {
    /// What goes around a text and around two.
    func postProcessor(_ json: JSON) throws(TokenizerError) -> PostProcessor {
        var result: PostProcessor?
        if json.isNull { return PostProcessor() }
        for item in try members(of: json, "processors", field: "post_processor") {
            let type = try type(of: item, field: "post_processor")
            if type == "ByteLevel" { continue }  // it only moves offsets
            if result != nil {
                throw unsupported("post_processor", "\(type) after another", "one that adds tokens")
            }
            switch type {
            case "TemplateProcessing":
                result = PostProcessor(
                    single: try template(item, "single", texts: ["A"]),
                    pair: try template(item, "pair", texts: ["A", "B"]))
            case "RobertaProcessing":
                result = .roberta(cls: try pairID(item, "cls"), sep: try pairID(item, "sep"))
            case "BertProcessing":
                result = .bert(cls: try pairID(item, "cls"), sep: try pairID(item, "sep"))
            case let other:
                throw unsupported(
                    "post_processor.type", other,
                    "ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing, Sequence")
            }
        }
        return result ?? PostProcessor()
    }

    private func template(
        _ json: JSON, _ key: String, texts: [String]
    ) throws(TokenizerError) -> [PostProcessor.Item] {
        let field = "post_processor.\(key)"
        guard let items = json[key]?.array else { throw .missing(field: field, file: file) }
        // Files made for single texts may leave the other one out.
        if key == "pair", items.isEmpty { return PostProcessor().pair }
        var result: [PostProcessor.Item] = []
        var found: [String] = []
        for item in items {
            guard let content = item["Sequence"] ?? item["SpecialToken"] else {
                throw unsupported(field, item.encoded(), "Sequence and SpecialToken")
            }
            let type =
                try content["type_id"].map { json throws(TokenizerError) in
                    try int32(json, field: "\(field).type_id")
                } ?? 0
            if item["Sequence"] != nil {
                let name = content["id"]?.string ?? "A"
                found.append(name)
                result.append(name == "A" ? .first(type: type) : .second(type: type))
                continue
            }
            guard let name = content["id"]?.string else {
                throw .missing(field: "\(field).SpecialToken.id", file: file)
            }
            guard let ids = json["special_tokens"]?[name]?["ids"]?.array else {
                throw .missing(field: "post_processor.special_tokens.\(name.prefix(80)).ids", file: file)
            }
            for id in ids {
                result.append(.token(try int32(id, field: "post_processor.special_tokens"), type: type))
            }
            guard result.count <= TokenizerLimits.templateItems else {
                throw .limit(
                    field: "the number of tokens in \(field)", found: result.count,
                    limit: TokenizerLimits.templateItems, file: file)
            }
        }
        guard found.sorted() == texts else {
            throw unsupported(
                field, "with \(found.count) sequences", "\(texts.joined(separator: " and ")), once each")
        }
        return result
    }

    private func pairID(_ json: JSON, _ key: String) throws(TokenizerError) -> Int32 {
        guard let id = json[key]?[1] else { throw .missing(field: "post_processor.\(key)", file: file) }
        return try int32(id, field: "post_processor.\(key)")
    }
}
