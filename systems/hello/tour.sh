#!/usr/bin/env bash
# brume tour: a minute with the hello system. Kills a task under load, takes a security-group rule away and gives it
# back, and deploys a broken revision. Built into the program, which sets BRUME (itself) and BRUME_STATE; root runs it.
set -euo pipefail
brume=${BRUME:-brume}
export AWS_DEFAULT_REGION=eu-west-1 AWS_PAGER= AWS_MAX_ATTEMPTS=1
work=$(mktemp -d)
load=
# Where make demo keeps the system's Terraform. With it a missing rule comes back as Terraform knows it.
terraform=${BRUME_STATE%/*}/demo/system/infrastructure
stop() {
  [ -z "$load" ] || kill "$load" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT
began=$SECONDS
exec 3>&1  # commands are shown here even when their output is captured
[ -e "${TF_CLI_CONFIG_FILE:-/}" ] || unset TF_CLI_CONFIG_FILE

say() { printf '\n-- %s (after %d s)\n' "$*" $((SECONDS - began)); }
note() { printf '   %s\n' "$*"; }
fail() { printf 'tour: %s\n' "$*" >&2; exit 1; }
# Shows the command, quoted so that it can be typed, and runs it inside.
aws() {
  local word line='   $ aws'
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9_./:=,-]+$ ]] || word="'$word'"
    line+=" $word"
  done
  printf '%s\n' "$line" >&3
  ask "$@"
}
ask() { "$brume" exec -- aws "$@"; }
status() { "$brume" status --json; }
answered() { grep -c '^200$' "$work/codes" || true; }
failed() { grep -vc '^200$' "$work/codes" || true; }
# until_true SECONDS COMMAND...: whether the command came true in time.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.3
  done
}
healthy() { [ "$(ask elbv2 describe-target-health --target-group-arn "$group" --output text \
  --query "length(TargetHealthDescriptions[?TargetHealth.State=='healthy'])")" -eq "$1" ]; }
gets() { [ "$("$brume" exec -- curl -s -o /dev/null -m 4 -w '%{http_code}' "$url/whoami" || true)" "$1" 200 ]; }
start_load() {
  : >"$work/codes"
  "$brume" exec -- bash -c 'while :; do curl -s -o /dev/null -m 5 -w "%{http_code}\n" "$0"; sleep 0.1; done' \
    "$url/whoami" >>"$work/codes" &
  load=$!
  until_true 10 test -s "$work/codes" || fail "the load balancer does not answer at $url"
}
stop_load() {
  kill "$load" 2>/dev/null || true
  wait "$load" 2>/dev/null || true
  load=
}

url=$(ask elbv2 describe-load-balancers --names hello --query 'LoadBalancers[0].DNSName' --output text 2>/dev/null) ||
  fail "the hello system is not deployed here (make demo)"
url=http://$url
group=$(ask elbv2 describe-target-groups --names hello --query 'TargetGroups[0].TargetGroupArn' --output text)
instance=$(status | jq -r .id)
cgroup=$(find /sys/fs/cgroup -maxdepth 3 -type d -path "*/brume/$instance" | head -1)

say "1. A task dies under load"
start_load
task=$(aws ecs list-tasks --cluster hello --service-name hello --query 'taskArns[0]' --output text)
task=${task##*/}
pid=$(find "$cgroup/$task" -mindepth 2 -name cgroup.procs -exec cat {} + | head -1)
[ -n "$pid" ] || fail "the process of task $task is not there"
note "kill -9 $pid    # the container's own process, behind the cloud's back"
kill -9 "$pid"
until_true 30 [ ! -e "/proc/$pid" ] || fail "the process lives on"
aws ecs describe-tasks --cluster hello --tasks "$task" --output text \
  --query 'tasks[0].[lastStatus,stoppedReason,containers[0].exitCode]' | sed 's/^/   /'
until_true 40 healthy 2 || fail "no replacement became healthy"
stop_load
note "replaced and healthy again; under load meanwhile: $(answered) requests answered, $(failed) failed"
[ "$(failed)" -eq 0 ] || fail "requests failed: $(sort "$work/codes" | uniq -c | tr '\n' ' ')"

say "2. A security group drops packets"
dropped() { status | jq '[.packets[] | select(.what == "ingress dropped at") | .packets] | add // 0'; }
rule=$(aws ec2 describe-security-group-rules --output text --query \
  'SecurityGroupRules[?Description==`Only the load balancer`].[GroupId,SecurityGroupRuleId,ReferencedGroupInfo.GroupId]')
read -r service_group rule_id balancer_group <<<"$rule"
before=$(dropped)
aws ec2 revoke-security-group-ingress --group-id "$service_group" --security-group-rule-ids "$rule_id" --output text \
  --query Return | sed 's/^/   /'
until_true 20 gets != || fail "the load balancer still reaches its targets"
note "the load balancer has no target any more; packets dropped at the tasks: $before, now $(dropped)"
[ "$(dropped)" -gt "$before" ] || fail "the drop counter stands still"
if [ -d "$terraform/.terraform" ]; then
  note "\$ terraform apply    # finds that a rule is missing, and makes it again"
  "$brume" exec -- terraform -chdir="$terraform" apply -auto-approve -no-color \
    -target=aws_vpc_security_group_ingress_rule.service_from_load_balancer | grep -E '^Apply' | sed 's/^/   /'
else
  aws ec2 authorize-security-group-ingress --group-id "$service_group" --output text --query Return --ip-permissions \
    "IpProtocol=tcp,FromPort=8000,ToPort=8000,UserIdGroupPairs=[{GroupId=$balancer_group,Description=Only the load balancer}]" |
    sed 's/^/   /'
  note "(a new rule to Terraform: its next plan shows it)"
fi
until_true 30 gets = || fail "the load balancer did not heal"
note "the rule is back, and so is the answer"

say "3. A broken revision is rolled back"
until_true 30 healthy 2 || fail "the targets did not heal"
start_load
good=$(ask ecs describe-services --cluster hello --services hello --query 'services[0].taskDefinition' --output text)
aws ecs describe-task-definition --task-definition "$good" --query taskDefinition --output json |
  jq '{family, requiresCompatibilities, networkMode, cpu, memory, executionRoleArn, taskRoleArn, containerDefinitions} |
    .containerDefinitions[0].environment += [{name: "HEALTH", value: "broken"}] |
    .containerDefinitions[0].healthCheck += {retries: 1, startPeriod: 0}' >"$work/broken.json"
note "(the same task definition with HEALTH=broken in its environment: /health answers 500)"
bad=$(aws ecs register-task-definition --cli-input-json "file://$work/broken.json" --output text \
  --query taskDefinition.taskDefinitionArn)
aws ecs update-service --cluster hello --service hello --task-definition "${bad##*/}" --output text \
  --query 'service.deployments[0].[status,rolloutState]' | sed 's/^/   /'
rolled_back() { [ "$(ask ecs describe-services --cluster hello --services hello --output text --query \
  'services[0].[length(deployments), taskDefinition]')" = "1	$good" ]; }
until_true 60 rolled_back || fail "the deployment was not rolled back"
aws ecs describe-services --cluster hello --services hello --output text --query \
  'reverse(services[0].events[:20])[].message' | tr '\t' '\n' | grep -E 'deployment failed|rolling back|unhealthy|steady' | tail -6 | sed 's/^/   /'
stop_load
note "the good revision serves on; meanwhile: $(answered) requests answered, $(failed) failed"
[ "$(failed)" -eq 0 ] || fail "requests failed: $(sort "$work/codes" | uniq -c | tr '\n' ' ')"
ask ecs deregister-task-definition --task-definition "$bad" >/dev/null
note "that took $((SECONDS - began)) seconds"
