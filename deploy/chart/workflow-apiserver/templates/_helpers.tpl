{{- define "wf.name" -}}
{{- default "workflow-apiserver" .Values.nameOverride -}}
{{- end }}

{{- define "wf.group" -}}
{{- default "workflow.example.com" .Values.config.group -}}
{{- end }}

{{- define "wf.selector" -}}
app.kubernetes.io/name: workflow-apiserver
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wf.labels" -}}
{{ include "wf.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "wf.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "wf.dnsName" -}}
{{ include "wf.name" . }}.{{ .Release.Namespace }}.svc
{{- end }}

{{/* As deploy/base/audit-policy.yaml, of the configured group. */}}
{{- define "wf.auditPolicy" -}}
{{- with .Values.audit.policy -}}
{{- toYaml . -}}
{{- else -}}
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/metrics", "/version", "/apis*", "/openapi*"]
- level: Metadata
  verbs: [get]
  resources:
  - group: {{ include "wf.group" . }}
    resources: [workflows/log]
- level: None
  verbs: [get, list, watch]
- level: Metadata
{{- end -}}
{{- end }}

{{/* What values.schema.json cannot say. */}}
{{- define "wf.checks" -}}
{{- if and (eq .Values.tls.mode "selfSigned") (not .Values.apiService.insecureSkipTLSVerify) -}}
{{- fail "tls.mode selfSigned needs apiService.insecureSkipTLSVerify: true, since nobody can know the certificate" -}}
{{- end -}}
{{- if and .Values.apiService.insecureSkipTLSVerify (ne .Values.tls.mode "selfSigned") -}}
{{- fail "apiService.insecureSkipTLSVerify: true goes with tls.mode selfSigned only; the other modes have a CA" -}}
{{- end -}}
{{- if and .Values.tls.caBundle (ne .Values.tls.mode "existingSecret") -}}
{{- fail "tls.caBundle goes with tls.mode existingSecret only" -}}
{{- end -}}
{{- end }}
