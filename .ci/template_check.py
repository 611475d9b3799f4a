"""Checks in the template's text what no tool knows. usage: template_check.py TEMPLATE

That each role allows what is listed here and nothing else, that each function has its environment, and what an emulator
doesn't carry over: lifecycle, reserved concurrency, routes. Intrinsic functions are read in their long form.
"""
import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags: `!Ref X` is {"Ref": "X"}, `!Sub X` is {"Fn::Sub": "X"}."""


def intrinsic(loader, tag, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}


Loader.add_multi_constructor("!", intrinsic)


def ref(name):
    return {"Ref": name}


def sub(text):
    return {"Fn::Sub": text}


def att(name, attribute="Arn"):
    return {"Fn::GetAtt": [name, attribute]}


def either(condition, yes, no):
    return {"Fn::If": [condition, yes, no]}


TRACES, RESULTS = sub("${Bucket.Arn}/traces/*"), sub("${Bucket.Arn}/results/*")
LISTS = (["s3:ListBucket"], att("Bucket"), {"StringLikeIfExists": {"s3:prefix": "traces/*"}})
PARAMETER = sub("arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${TokensParameter}")
READS_TOKENS = (
    either("TokensInSecretsManager", "secretsmanager:GetSecretValue", "ssm:GetParameter"),
    either("TokensInSecretsManager", att("TokensSecret", "Id"), PARAMETER),
    None,
)


def writes_log(function):
    return (["logs:CreateLogStream", "logs:PutLogEvents"], att(f"{function}Log"), None)


# Role, Sid: what it allows, on what, and under which condition.
ALLOWED = {
    "IngestRole": {
        "WriteLevel0": (["s3:PutObject"], sub("${Bucket.Arn}/traces/*/l0/*"), None),
        "ReadTokens": READS_TOKENS,
        "WriteLog": writes_log("Ingest"),
    },
    "QueryRole": {
        "ListTraces": LISTS,
        "ReadTraces": (["s3:GetObject"], TRACES, None),
        "ExchangeResults": (["s3:GetObject", "s3:PutObject"], RESULTS, None),
        "InvokeScan": (["lambda:InvokeFunction"], att("Scan"), None),
        "ReadTokens": READS_TOKENS,
        "WriteLog": writes_log("Query"),
    },
    "ScanRole": {
        "ReadTraces": (["s3:GetObject"], TRACES, None),
        "WriteResults": (["s3:PutObject"], RESULTS, None),
        "WriteLog": writes_log("Scan"),
    },
    "CompactRole": {
        "ListTraces": LISTS,
        "ChangeTraces": (["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], TRACES, None),
        "WriteLog": writes_log("Compact"),
    },
    "BufferPolicy": {
        "ReceiveFromBuffer": (
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            att("BufferQueue"),
            None,
        ),
    },
}

RESULTS_URL = sub("s3://${Bucket}/results")
TOKENS = either("TokensInSecretsManager", sub("secretsmanager:${TokensSecret.Id}"), sub("ssm:${TokensParameter}"))
GLOBAL_ENVIRONMENT = {"NIENTE_STORE": sub("s3://${Bucket}/traces"), "NIENTE_LOG": ref("LogLevel")}
ENVIRONMENT = {
    "Ingest": {
        "NIENTE_TOKENS": TOKENS,
        "NIENTE_RETENTION_DAYS": ref("RetentionDays"),
        "NIENTE_CORS_ORIGINS": ref("CorsOrigins"),
        "NIENTE_PATH_PREFIX": ref("PathPrefix"),
    },
    "Query": {
        "NIENTE_RESULTS": RESULTS_URL,
        "NIENTE_SCAN_FUNCTION": att("Scan"),
        "NIENTE_SCAN_CONCURRENCY": ref("ScansPerQuery"),
        "NIENTE_SCAN_MEMORY": ref("ScanMemory"),
        "NIENTE_TOKENS": TOKENS,
        "NIENTE_MAX_QUERY_COST": ref("MaxQueryCost"),
        "NIENTE_MAX_QUERY_BYTES": ref("MaxQueryBytes"),
        "NIENTE_MAX_RANGE": ref("MaxRange"),
        "NIENTE_PATH_PREFIX": ref("PathPrefix"),
        "NIENTE_RESPONSE_STREAM": either("StreamsQuery", "true", ref("AWS::NoValue")),
    },
    "Scan": {"NIENTE_RESULTS": RESULTS_URL},
    "Compact": {
        "NIENTE_RETENTION_DAYS": ref("RetentionDays"),
        "NIENTE_COMPACT_AFTER_SECONDS": ref("CompactAfterSeconds"),
    },
}

with open(sys.argv[1]) as file:
    template = yaml.load(file, Loader)
resources = template["Resources"]
held = 0


def same(what, found, expected):
    global held
    if found != expected:
        sys.exit(f"{sys.argv[1]}: {what}\nexpected: {shown(expected)}\nfound: {shown(found)}")
    held += 1


def shown(value):
    return json.dumps(value, indent=2, default=sorted)


def of_type(kind):
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def properties(name):
    return resources[name]["Properties"]


# --- who may do what
LAMBDA_ASSUMES = [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
same("what IAM has of this stack", {name for name, it in resources.items() if "::IAM::" in it["Type"]}, set(ALLOWED))
for role, expected in ALLOWED.items():
    if role == "BufferPolicy":
        same("whose the policy is", properties(role)["Roles"], [ref("IngestRole")])
        documents = [properties(role)["PolicyDocument"]]
    else:
        same(f"{role}: its properties", set(properties(role)), {"AssumeRolePolicyDocument", "Policies"})
        same(f"{role}: who assumes it", properties(role)["AssumeRolePolicyDocument"]["Statement"], LAMBDA_ASSUMES)
        documents = [policy["PolicyDocument"] for policy in properties(role)["Policies"]]
    allowed = {}
    for statement in (statement for document in documents for statement in document["Statement"]):
        same(f"{role}, {statement['Sid']}: its effect", statement.pop("Effect"), "Allow")
        sid, action = statement.pop("Sid"), statement.pop("Action")
        action = [action] if isinstance(action, str) else action
        same(f"{role}: statements called {sid} before", allowed.get(sid), None)
        allowed[sid] = (action, statement.pop("Resource"), statement.pop("Condition", None))
        same(f"{role}, {sid}: the rest of it", statement, {})
    same(f"{role}: what it allows", allowed, expected)

invokers = {}
for permission in of_type("AWS::Lambda::Permission").values():
    it = permission["Properties"]
    same("a permission's action", it["Action"], "lambda:InvokeFunction")
    same("a permission names its source", "SourceArn" in it, True)
    invokers.setdefault(it["FunctionName"]["Ref"], set()).add(it["Principal"])
API, EVENTS = {"apigateway.amazonaws.com"}, {"events.amazonaws.com"}
same("which services invoke which functions", invokers, {"Ingest": API, "Query": API, "Compact": EVENTS})

# --- the functions
same("the environment of all", template["Globals"]["Function"]["Environment"]["Variables"], GLOBAL_ENVIRONMENT)
same("the functions", set(of_type("AWS::Serverless::Function")), set(ENVIRONMENT))
for name, environment in ENVIRONMENT.items():
    it = properties(name)
    same(f"{name}: its environment", it["Environment"]["Variables"], environment)
    same(f"{name}: its role", (it["Role"], it.get("Policies")), (att(f"{name}Role"), None))
    same(f"{name}: its log", it["LoggingConfig"], {"LogGroup": ref(f"{name}Log")})
    same(f"{name}: its log's days", properties(f"{name}Log")["RetentionInDays"], ref("LogDays"))
    reserved = either(f"Reserves{name}", ref(f"{name}Concurrency"), ref("AWS::NoValue"))
    same(f"{name}: its reserved concurrency", it["ReservedConcurrentExecutions"], reserved)
    reserves = {"Fn::Not": [{"Fn::Equals": [ref(f"{name}Concurrency"), 0]}]}
    same(f"{name}: when it is reserved", template["Conditions"][f"Reserves{name}"], reserves)
    same(f"{name}: its size", (it["MemorySize"], it["Timeout"]), (ref(f"{name}Memory"), ref(f"{name}Timeout")))
    public = name in ("Ingest", "Query")
    same(f"{name}: its URL", it.get("FunctionUrlConfig", {}).get("AuthType"), "NONE" if public else None)
    build = {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": f"niente-{name.lower()}"}}
    same(f"{name}: how it is built", resources[name]["Metadata"], build)
streams = either("StreamsQuery", "RESPONSE_STREAM", "BUFFERED")
same("how the query URL answers", properties("Query")["FunctionUrlConfig"]["InvokeMode"], streams)

# --- the bucket
bucket = properties("Bucket")
rules = {rule.pop("Id"): rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
same(
    "the bucket's lifecycle",
    rules,
    {
        "ResultsAreTemporary": {"Status": "Enabled", "Prefix": "results/", "ExpirationInDays": 1},
        "UploadsThatWereGivenUp": {
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
    },
)
same("the bucket's versioning", "VersioningConfiguration" in bucket, False)
same("what is public of the bucket", set(bucket["PublicAccessBlockConfiguration"].values()), {True})
encryption = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
same("the bucket's encryption", encryption, [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}])
same("who owns objects", bucket["OwnershipControls"]["Rules"], [{"ObjectOwnership": "BucketOwnerEnforced"}])
denied = properties("BucketPolicy")["PolicyDocument"]["Statement"]
same("what the bucket denies", [(it["Effect"], it["Action"]) for it in denied], [("Deny", "s3:*")])
same("when it does", denied[0]["Condition"], {"Bool": {"aws:SecureTransport": False}})

# --- what outlives the stack, and what is in it
retained = {name for name, resource in resources.items() if resource.get("DeletionPolicy") == "Retain"}
same("what is retained", retained, {"Bucket", "BucketPolicy", "TokensSecret", "TokensParameter"})
for name in retained:
    same(f"{name}: when it is replaced", resources[name].get("UpdateReplacePolicy"), "Retain")
empty = {"niente": 1, "tokens": []}
same("the secret's first text", json.loads(properties("TokensSecret")["SecretString"]), empty)
same("the parameter's first text", json.loads(properties("TokensParameter")["Value"]), empty)

# --- ways in
routes = [route["Properties"] for route in of_type("AWS::ApiGatewayV2::Route").values()]
to_ingest, to_query = sub("integrations/${ApiIngest}"), sub("integrations/${ApiQuery}")
targets = {route["RouteKey"]: route["Target"] for route in routes}
same("routes", targets, {"POST /{path+}": to_ingest, "OPTIONS /{path+}": to_ingest, "$default": to_query})
for integration, function in (("ApiIngest", "Ingest"), ("ApiQuery", "Query")):
    it = properties(integration)
    same(f"{integration}: its function", (it["IntegrationUri"], it["PayloadFormatVersion"]), (att(function), "2.0"))
same("failed items", properties("BufferMapping")["FunctionResponseTypes"], ["ReportBatchItemFailures"])
same("dead letters", properties("BufferQueue")["RedrivePolicy"]["deadLetterTargetArn"], att("BufferDeadLetters"))
for what in ("Schedule", "Arrival"):
    it = properties(f"Compact{what}")
    same(f"Compact{what}: what it starts", [target["Arn"] for target in it["Targets"]], [att("Compact")])
same("the schedule", properties("CompactSchedule")["ScheduleExpression"], ref("CompactEvery"))
keys = properties("CompactArrival")["EventPattern"]["detail"]["object"]["key"]
same("which objects start a compaction", keys, [{"wildcard": "traces/*/l0/*.parquet"}])

# --- alarms
alarms = {name: it["Properties"] for name, it in of_type("AWS::CloudWatch::Alarm").items()}
watched = {f"{name}{metric}" for name in ENVIRONMENT for metric in ("Errors", "Throttles")}
same("alarms", set(alarms), watched | {"CompactionBehind", "BufferDeadLettersWait"})
for name, alarm in alarms.items():
    same(f"{name}: while nothing runs", alarm["TreatMissingData"], "notBreaching")
behind = alarms["CompactionBehind"]
same("the backlog's metric", (behind["Namespace"], behind["MetricName"]), ("Niente", "Level0Objects"))

# --- parameters
interface = template["Metadata"]["AWS::CloudFormation::Interface"]
grouped = [parameter for group in interface["ParameterGroups"] for parameter in group["Parameters"]]
same("parameters in groups", sorted(grouped), sorted(template["Parameters"]))
for name, parameter in template["Parameters"].items():
    same(f"{name}: described, with a default", {"Description", "Default"} <= set(parameter), True)
    bounds = {"AllowedValues", "AllowedPattern", "MinValue"}
    same(f"{name}: bounded", bool(bounds & set(parameter)), True)

print(f"{sys.argv[1]}: {held} checks hold")
