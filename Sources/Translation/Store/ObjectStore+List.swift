package import KubeWire

extension ObjectStore {
  /// Answers a list by the table of kubernetes-wire §5. The options are valid already; only what depends on versions is decided here.
  package func list(_ resource: Resource, namespace: String?, options: ListOptions) throws(ReadFailure) -> ListResult {
    let selection = ObjectSelection(namespace: namespace, options: options)
    if !options.continueToken.isEmpty {
      let token = try ContinueToken(options.continueToken)
      guard let version = token.version else {
        return page(resource, selection, at: currentVersion, from: token.start, limit: options.limit)
      }
      guard canRead(resource, namespace: namespace, at: version) else {
        throw .continueGone(inconsistent: ContinueToken(version: nil, start: token.start).text)
      }
      return page(resource, selection, at: version, from: token.start, limit: options.limit)
    }
    let requested = try Self.version(options.resourceVersion)
    // At any state there are no pages: what asks so is not to be asked again (kubernetes-wire L3).
    let limit = requested == 0 ? 0 : options.limit
    guard let requested, requested > 0 else { return page(resource, selection, at: currentVersion, from: nil, limit: limit) }
    let exactly = options.resourceVersionMatch == "Exact" || options.resourceVersionMatch.isEmpty && options.limit > 0
    guard versions.isOfThisEpoch(requested) else {
      throw exactly ? .listVersionGone : .versionGone(requested: requested, floor: self[resource].floor(namespace: namespace))
    }
    guard requested <= currentVersion else { throw .versionTooLarge(requested: requested, current: currentVersion) }
    guard exactly else { return page(resource, selection, at: currentVersion, from: nil, limit: options.limit) }
    guard canRead(resource, namespace: namespace, at: requested) else { throw .listVersionGone }
    return page(resource, selection, at: requested, from: nil, limit: options.limit)
  }

  /// nil for the empty text. - Throws: `.invalidVersion`.
  static func version(_ text: String) throws(ReadFailure) -> UInt64? {
    guard !text.isEmpty else { return nil }
    guard text.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let version = UInt64(text) else { throw .invalidVersion(text) }
    return version
  }

  /// True when the state at a version can be told.
  func canRead(_ resource: Resource, namespace: String?, at version: UInt64) -> Bool {
    versions.isOfThisEpoch(version) && version <= currentVersion && version >= self[resource].floor(namespace: namespace)
  }

  private func page(_ resource: Resource, _ selection: ObjectSelection, at version: UInt64, from start: String?, limit: Int) -> ListResult {
    var past = PastObjects(self[resource], selection, at: version)
    if let start { past.skip(to: start) }
    var result = ListResult(items: [], version: version)
    if limit == 0, !selection.hasSelectors {
      result.items = past.rest()
      return result
    }
    while let object = past.next() {
      guard selection.selects(object.draft) else { continue }
      if limit > 0, result.items.count == limit {
        result.continueToken = ContinueToken(version: version, after: result.items[limit - 1].key).text
        if !selection.hasSelectors { result.remainingItemCount = past.remaining + 1 }
        break
      }
      result.items.append(object)
    }
    return result
  }
}
