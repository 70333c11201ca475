/// Which Corvid this is.
public enum CorvidVersion {
    /// Major, minor, patch.
    public static let current = "0.1.0"
}
