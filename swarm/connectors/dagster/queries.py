"""The GraphQL queries of the Dagster connector. Queries only: nothing here changes anything.

Dagster moves a run's update time when the run changes state, not when one of its steps does;
so what is live is asked for beside what changed, in the same request. The steps of a run cost the
server a reading of its event log: of past runs they are asked for apart (`past_steps.py`).
"""

_RUN = """
runId jobName status creationTime startTime endTime updateTime
repositoryOrigin { repositoryLocationName repositoryName }
tags { key value }
stepStats { stepKey status attempts { startTime endTime } }
assetMaterializations {
  assetKey { path }
  metadataEntries { label ... on TextMetadataEntry { text } }
}
"""

WORKSPACE = """
query SwarmWorkspace {
  workspaceOrError {
    __typename
    ... on PythonError { message }
    ... on Workspace { locationEntries {
      name versionKey
      locationOrLoadError {
        __typename
        ... on PythonError { message }
        ... on RepositoryLocation { repositories {
          name
          jobs { name isAssetJob tags { key value } }
          schedules {
            name cronSchedule executionTimezone pipelineName scheduleState { status }
          }
          sensors {
            name targets { pipelineName } metadata { assetKeys { path } } sensorState { status }
          }
        } }
      }
    } }
  }
  cronPolicy: __type(name: "CronFreshnessPolicy") { name }
}
"""

_ASSETS = """
query SwarmAssets {
  assetNodes {
    assetKey { path }
    repository { name location { name } }
    kinds
    owners { ... on TeamAssetOwner { team } ... on UserAssetOwner { email } }
    jobNames opNames graphName isExecutable
    automationCondition { label }
    FRESHNESS
    dependencyKeys { path }
    metadataEntries {
      label
      ... on TextMetadataEntry { text }
      ... on UrlMetadataEntry { url }
      ... on PathMetadataEntry { path }
      ... on CodeReferencesMetadataEntry { codeReferences {
        ... on LocalFileCodeReference { filePath lineNumber }
        ... on UrlCodeReference { url }
      } }
    }
  }
}
"""

_FRESHNESS = """
internalFreshnessPolicy {
  __typename
  ... on CronFreshnessPolicy { deadlineCron timezone }
  ... on TimeWindowFreshnessPolicy { failWindowSeconds }
}
"""

ASSETS = _ASSETS.replace("FRESHNESS", _FRESHNESS)
ASSETS_BEFORE_FRESHNESS = _ASSETS.replace("FRESHNESS", "")
"""For a Dagster that knows no `cronPolicy`, which would refuse the whole query."""

OPS = """
query SwarmOps($location: String!, $repository: String!) {
  repositoryOrError(
    repositorySelector: { repositoryLocationName: $location, repositoryName: $repository }
  ) {
    __typename
    ... on PythonError { message }
    ... on Repository { jobs {
      name
      solidHandles {
        handleID
        solid {
          name
          inputs { definition { name } dependsOn { definition { name } solid { name } } }
          definition {
            __typename name
            ... on CompositeSolidDefinition {
              inputMappings {
                definition { name } mappedInput { definition { name } solid { name } }
              }
              outputMappings {
                definition { name } mappedOutput { definition { name } solid { name } }
              }
            }
          }
        }
      }
    } }
  }
}
"""

TICK = """
query SwarmTick($updatedAfter: Float!, $limit: Int!, $cursor: String) {
  changed: runsOrError(filter: { updatedAfter: $updatedAfter }, limit: $limit, cursor: $cursor) {
    __typename
    ... on PythonError { message }
    ... on Runs { results { RUN } }
  }
  live: runsOrError(filter: { statuses: [STARTING, STARTED, CANCELING] }, limit: 100) {
    __typename
    ... on PythonError { message }
    ... on Runs { results { RUN } }
  }
  queued: runsOrError(filter: { statuses: [QUEUED] }) { ... on Runs { count } }
  locationStatusesOrError {
    __typename
    ... on PythonError { message }
    ... on WorkspaceLocationStatusEntries { entries { name loadStatus versionKey } }
  }
  instance {
    daemonHealth { allDaemonStatuses { daemonType required healthy lastHeartbeatTime } }
    runQueueConfig { maxConcurrentRuns }
    concurrencyLimits { concurrencyKey slotCount activeSlotCount pendingStepCount }
  }
  partitionBackfillsOrError(limit: 50) {
    __typename
    ... on PythonError { message }
    ... on PartitionBackfills { results {
      id status jobName partitionNames assetSelection { path }
    } }
  }
}
""".replace("RUN", _RUN)

PAST_RUNS = """
query SwarmPastRuns($from: Float!, $to: Float!, $limit: Int!, $cursor: String) {
  past: runsOrError(
    filter: { updatedAfter: $from, updatedBefore: $to }, limit: $limit, cursor: $cursor
  ) {
    __typename
    ... on PythonError { message }
    ... on Runs { results {
      runId jobName status creationTime startTime endTime updateTime
      repositoryOrigin { repositoryLocationName repositoryName }
      tags { key value }
    } }
  }
}
"""

PAST_STEPS = """
query SwarmPastSteps($ids: [String!]!, $limit: Int!) {
  past: runsOrError(filter: { runIds: $ids }, limit: $limit) {
    __typename
    ... on PythonError { message }
    ... on Runs { results {
      runId stepStats { stepKey status attempts { startTime endTime } }
    } }
  }
}
"""

MORE_RUNS = """
query SwarmRuns($updatedAfter: Float!, $limit: Int!, $cursor: String) {
  changed: runsOrError(filter: { updatedAfter: $updatedAfter }, limit: $limit, cursor: $cursor) {
    __typename
    ... on PythonError { message }
    ... on Runs { results { RUN } }
  }
}
""".replace("RUN", _RUN)
