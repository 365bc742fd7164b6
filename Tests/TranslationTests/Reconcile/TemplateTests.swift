import AdapterKit
import JSON
import OrderedCollections
import Testing

@testable import Translation

@Suite struct TemplateTests {
  private func simulation(_ count: Int, poll: Duration = .seconds(5)) -> Simulation {
    var simulation = Simulation(
      abilities: ReconcilerAbilities(incremental: true, templates: true), settings: ReconcilerSettings(pollInterval: poll))
    simulation.engine.templates = (0..<count).map { "t\(10 + $0)" }
    simulation.start()
    simulation.run(for: 2)
    return simulation
  }

  private func readAgain(_ simulation: inout Simulation) {
    simulation.handle(.demandTemplates)
    simulation.run(for: 1)
  }

  @Test(arguments: [1, 15]) func anEmptyListForAWhileDeletesNothing(_ count: Int) {
    var simulation = simulation(count)
    simulation.engine.templates = []
    for _ in 0..<10 { readAgain(&simulation) }
    #expect(simulation.templates.count == count)
    simulation.run(for: 600)
    #expect(simulation.templates.count == count && simulation.conditions?.synced.reason == "MissingTemplates")
    simulation.engine.templates = (0..<count).map { "t\(10 + $0)" }
    simulation.run(for: 70)
    #expect(simulation.templates.count == count && simulation.conditions?.synced.status == true)
  }

  @Test func manyThatStayAwayGoInTheEnd() {
    var simulation = simulation(15)
    simulation.engine.templates = ["t10"]
    simulation.run(for: 800)
    #expect(simulation.templates.count == 15)
    simulation.run(for: 300)
    #expect(simulation.templates == ["t10"] && simulation.conditions?.synced.status == true)
  }

  @Test func theOperatorsWordEndsTheHold() {
    var simulation = simulation(15)
    simulation.engine.templates = []
    simulation.run(for: 70)
    simulation.handle(.acceptShrink)
    simulation.run(for: 2)
    #expect(simulation.templates.isEmpty)
  }

  @Test func oneThatIsGoneGoesAfterAnInterval() {
    var simulation = simulation(5)
    simulation.engine.templates.removeFirst()
    for _ in 0..<50 { readAgain(&simulation) }
    #expect(simulation.templates.count == 5)
    simulation.engine.templates.append("new")
    readAgain(&simulation)
    #expect(simulation.templates.contains("new"))
    simulation.run(for: 130)
    #expect(simulation.templates == ["new", "t11", "t12", "t13", "t14"])
  }

  @Test func withPollingOffThoseWhoLookLetThemGo() {
    var simulation = simulation(5, poll: .zero)
    simulation.engine.templates.removeFirst()
    for _ in 0..<3 { readAgain(&simulation) }
    #expect(simulation.templates.count == 5)
    for _ in 0..<2 {
      simulation.run(for: 60)
      readAgain(&simulation)
    }
    #expect(simulation.templates.count == 4)
  }

  @Test func oneThatNobodyUnderstandsHidesNoOther() {
    var simulation = Simulation(abilities: ReconcilerAbilities(incremental: true, templates: true))
    simulation.engine.templates = ["a", "b"]
    simulation.engine.unreadableTemplates = ["c: no schema"]
    simulation.start()
    simulation.run(for: 2)
    #expect(simulation.templates == ["a", "b"] && simulation.store.notReady(.workflowtemplates, namespace: "default").isEmpty)
    #expect(simulation.conditions?.synced.reason == "UnreadableTemplates")
    #expect(simulation.conditions?.synced.message.contains("c: no schema") ?? false)
    // Whether it is b that nobody understands now is not known.
    simulation.engine.templates = ["a"]
    simulation.run(for: 1000)
    #expect(simulation.templates == ["a", "b"])
    simulation.engine.unreadableTemplates = []
    simulation.run(for: 200)
    #expect(simulation.templates == ["a"] && simulation.conditions?.synced.status == true)
  }

  @Test(arguments: [false, true]) func aListThatTellsNothingIsNoEmptyOne(_ isRefused: Bool) {
    var simulation = Simulation(abilities: ReconcilerAbilities(incremental: true, templates: true))
    simulation.engine.templatesAreRefused = isRefused
    simulation.engine.unreadableTemplates = ["c: no schema"]
    simulation.start()
    simulation.run(for: 20)
    #expect(simulation.store.notReady(.workflowtemplates, namespace: "default") == ["b"])
    #expect(simulation.store.notReady(.workflows, namespace: "default").isEmpty)
    #expect(simulation.conditions?.synced.status == false && simulation.conditions?.synced.reason == "TemplatesFailed")
    #expect(simulation.conditions?.synced.message.contains(isRefused ? "not for you" : "c: no schema") ?? false)
    (simulation.engine.templatesAreRefused, simulation.engine.unreadableTemplates) = (false, [])
    simulation.run(for: 10)
    #expect(simulation.conditions?.synced.status == true && simulation.store.notReady(.workflowtemplates, namespace: "default").isEmpty)
  }
}
