internal import JSON

/// The creation of objects of which no engine says when they were made: templates and backends.
///
/// Every object has a creationTimestamp (kubernetes-wire L1), and one that stays: under the same uid it is the same after a restart and on every replica. The
/// gateway's start would be neither. So it is a moment that nobody takes for a real one, and the AGE column says that it is not known.
enum UntoldCreation {
  static let timestamp = Timestamp(microseconds: 0).rfc3339Seconds
  /// In kubectl's word for it.
  static let age = TableCell.value(.string("<unknown>"))
}
