"""The GraphQL of a hand: the only requests to Dagster that change anything."""

SCHEDULES = """
query SwarmSchedules($after: Float!, $until: Float!) {
  workspaceOrError {
    __typename
    ... on PythonError { message }
    ... on Workspace { locationEntries {
      name
      locationOrLoadError {
        ... on RepositoryLocation { repositories {
          name
          jobs { name }
          schedules {
            name pipelineName scheduleState { id status }
            futureTicks(cursor: $after, until: $until) { results { timestamp } }
          }
        } }
      }
    } }
  }
}
"""

STOP_SCHEDULE = """
mutation SwarmStop($id: String!) {
  stopRunningSchedule(id: $id) {
    __typename
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""

START_SCHEDULE = """
mutation SwarmStart($selector: ScheduleSelector!) {
  startSchedule(scheduleSelector: $selector) {
    __typename
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""

EVALUATE = """
mutation SwarmEvaluate($selector: ScheduleSelector!, $at: Float!) {
  scheduleDryRun(selectorData: $selector, timestamp: $at) {
    __typename
    ... on PythonError { message }
    ... on UnauthorizedError { message }
    ... on ScheduleNotFoundError { message }
    ... on DryRunInstigationTick { evaluationResult {
      skipReason
      error { message }
      runRequests {
        runKey runConfigYaml jobName tags { key value } assetSelection { path }
      }
    } }
  }
}
"""

RUNS = """
query SwarmRunsOf($tags: [ExecutionTag!]!) {
  runsOrError(filter: { tags: $tags }, limit: 20) {
    __typename
    ... on PythonError { message }
    ... on Runs { results {
      runId status creationTime repositoryOrigin { repositoryLocationName repositoryName }
    } }
  }
}
"""

PARTITION = """
query SwarmPartition($selector: PipelineSelector!, $key: String!) {
  pipelineOrError(params: $selector) {
    __typename
    ... on Pipeline {
      partition(partitionName: $key) {
        runConfigOrError { __typename ... on PartitionRunConfig { yaml } }
        tagsOrError { __typename ... on PartitionTags { results { key value } } }
      }
    }
  }
}
"""

LAUNCH = """
mutation SwarmLaunch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on PythonError { message }
    ... on UnauthorizedError { message }
    ... on PipelineNotFoundError { message }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on LaunchRunSuccess { run { runId } }
  }
}
"""

TERMINATE = """
mutation SwarmTerminate($id: String!) {
  terminateRun(runId: $id) { __typename ... on PythonError { message } }
}
"""
