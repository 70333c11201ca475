import CorvidModels
import CorvidTensors
import CorvidText

extension SavedCalibration {
    /// The calibration as a patch, which does nothing to a pass: classification looks for it.
    /// - Throws: ``CalibrationError/nothingToSave`` without a prior; `PatchError`.
    public func patch(_ header: PatchHeader) throws -> Patch {
        guard let prior else { throw CalibrationError.nothingToSave }
        return try Patch(
            header,
            [
                .labelPrior(
                    LabelPrior(
                        labels: card.classNames,
                        prior: Tensor(prior.probabilities.map(Float.init), shape: [card.labels.count]),
                        task: json, context: contextDigest))
            ])
    }

    /// The calibration among the patches over a model; nil if there is none. At scale s its prior is taken to the
    /// power s, so that 0 is no calibration and 1/2 goes half the way.
    /// - Throws: ``CalibrationError`` if there are two, or one was not made by ``patch(_:)``.
    public init?(_ stack: PatchStack) throws {
        let found = stack.layers.flatMap { layer in
            layer.patch.changes.compactMap { change -> (name: String, prior: LabelPrior, scale: Float)? in
                guard case .labelPrior(let prior) = change else { return nil }
                return (layer.patch.header.name, prior, layer.scale * prior.scale)
            }
        }
        guard let only = found.first else { return nil }
        guard found.count == 1 else {
            throw CalibrationError.severalPriors(names: found.map(\.name))
        }
        try self.init(only.prior.task, file: only.name)
        guard only.prior.labels == card.classNames, only.prior.context == contextDigest else {
            throw CalibrationError.saved(file: only.name, reason: "its labels or prompt are not its task's")
        }
        prior = try prior?.raised(to: Double(only.scale), classNames: card.classNames)
    }
}
