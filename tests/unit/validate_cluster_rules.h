/* One row per cluster rule; the numbers are those of the rule list the validator follows. */
#pragma once

#include "validate_cases.h"

static const struct rule_case cluster_cases[] = {
    {"1 version absent", "spec.kubernetesVersion=", "spec.kubernetesVersion: Required value"},
    {"1 version unreadable",
     "spec.kubernetesVersion=nope\n"
     "spec.sshAccess=[x]",
     "spec.kubernetesVersion: Invalid value: \"nope\": unable to determine kubernetes version"},
    {"9 clusterCIDR", "spec.kubeControllerManager={clusterCIDR: x}",
     "spec.kubeControllerManager.clusterCIDR: Invalid value: \"x\": cluster had an invalid "
     "kubeControllerManager.clusterCIDR"},
    {"10 clusterCIDR outside", "spec.kubeControllerManager={clusterCIDR: 10.0.0.0/8}",
     "spec.kubeControllerManager.clusterCIDR: Forbidden: kubeControllerManager.clusterCIDR "
     "\"10.0.0.0/8\" must be a subnet of nonMasqueradeCIDR \"100.64.0.0/10\""},
    {"11 serverIP", "spec.kubeDNS={serverIP: x}",
     "spec.kubeDNS.serverIP: Invalid value: \"x\": Cluster had an invalid kubeDNS.serverIP"},
    {"12 serverIP outside",
     "spec.serviceClusterIPRange=100.64.0.0/13\n"
     "spec.kubeDNS={serverIP: 10.0.0.10}",
     "spec.kubeDNS.serverIP: Forbidden: ServiceClusterIPRange \"100.64.0.0/13\" must contain the "
     "DNS Server IP \"10.0.0.10\""},
    {"13 kubelet clusterDNS",
     "spec.kubeDNS={serverIP: 100.64.0.10, nodeLocalDNS: {enabled: false}}\n"
     "spec.kubelet={clusterDNS: 1.2.3.4}",
     "spec.kubelet.clusterDNS: Forbidden: Kubelet ClusterDNS did not match cluster "
     "kubeDNS.serverIP or nodeLocalDNS.localIP"},
    {"14 control plane clusterDNS",
     "spec.kubeDNS={serverIP: 100.64.0.10, nodeLocalDNS: {enabled: false}}\n"
     "spec.masterKubelet={clusterDNS: 1.2.3.4}",
     "spec.controlPlaneKubelet.clusterDNS: Forbidden: ControlPlaneKubelet ClusterDNS did not match "
     "cluster kubeDNS.serverIP or nodeLocalDNS.localIP"},
    {"13 without nodeLocalDNS any server may be asked",
     "spec.kubeDNS={serverIP: 100.64.0.10}\n"
     "spec.kubelet={clusterDNS: 1.2.3.4}",
     ""},
    {"15 provider", "spec.kubeDNS={provider: KubeDNS, nodeLocalDNS: {enabled: true}}",
     "spec.kubeDNS.provider: Forbidden: KubeDNS provider must be set to CoreDNS if NodeLocalDNS "
     "addon is enabled"},
    {"16 localIP", "spec.kubeDNS={nodeLocalDNS: {enabled: true, localIP: x}}",
     "spec.spec.kubeDNS.nodeLocalDNS.localIP: Invalid value: \"x\": Cluster had an invalid "
     "kubeDNS.nodeLocalDNS.localIP"},
    {"17 ipvs clients",
     "spec.kubeProxy={proxyMode: ipvs}\n"
     "spec.kubeDNS={nodeLocalDNS: {enabled: true, localIP: 169.254.20.10}}\n"
     "spec.kubelet={clusterDNS: 1.2.3.4}",
     "spec.spec.kubelet.clusterDNS: Forbidden: Kubelet ClusterDNS must be set to the default IP "
     "address for LocalIP"},
    {"17 ipvs control plane",
     "spec.kubeProxy={proxyMode: ipvs}\n"
     "spec.kubeDNS={nodeLocalDNS: {enabled: true, localIP: 169.254.20.10}}\n"
     "spec.masterKubelet={clusterDNS: 1.2.3.4}",
     "spec.spec.kubelet.clusterDNS: Forbidden: ControlPlaneKubelet ClusterDNS must be set to the "
     "default IP address for LocalIP"},
    {"18 upstream", "spec.kubeDNS={upstreamNameservers: [8.8.8.8, x]}",
     "spec.kubeDNS.upstreamNameservers[1]: Invalid value: \"x\": Invalid nameserver given, should "
     "be a valid ip address"},
    {"19 stub without servers", "spec.kubeDNS={stubDomains: {corp.example: []}}",
     "spec.kubeDNS.stubDomains[corp.example]: Invalid value: \"corp.example\": No nameservers "
     "specified for the stub domain"},
    {"20 stub server", "spec.kubeDNS={stubDomains: {corp.example: [x]}}",
     "spec.kubeDNS.stubDomains[corp.example][0]: Invalid value: \"x\": Invalid nameserver given, "
     "should be a valid ip address"},
    {"21 cloudProvider", "spec.kubelet={cloudProvider: gce}",
     "spec.kubelet.cloudProvider: Forbidden: Did not match cluster cloudProvider"},
    {"22 cloudProvider", "spec.masterKubelet={cloudProvider: gce}",
     "spec.controlPlaneKubelet.cloudProvider: Forbidden: Did not match cluster cloudProvider"},
    {"24 cloudProvider", "spec.kubeControllerManager={cloudProvider: gce}",
     "spec.kubeControllerManager.cloudProvider: Forbidden: Did not match cluster cloudProvider"},
    {"23 apiserver before 1.33",
     "spec.kubernetesVersion=1.32.0\n"
     "spec.kubeAPIServer={cloudProvider: gce}",
     "spec.kubeAPIServer.cloudProvider: Forbidden: Did not match cluster cloudProvider"},
    {"23 apiserver from 1.33", "spec.kubeAPIServer={cloudProvider: gce}", ""},
    {"21 own cloud", "spec.kubelet={cloudProvider: aws}", ""},
    {"25 name absent", "metadata.name=",
     "metadata.name: Required value: name or generateName is required\n"
     "objectMeta.name: Required value: Cluster Name is required (e.g. "
     "--name=mycluster.myzone.com)"},
    {"27 name is no subdomain", "metadata.name=Bad_Name",
     "metadata.name: Invalid value: \"Bad_Name\": " SUBDOMAIN
     "\nobjectMeta.name: Invalid value: \"Bad_Name\": Cluster Name must be a valid DNS name (e.g. "
     "--name=mycluster.myzone.com) errors: " SUBDOMAIN},
    {"25 namespace", "metadata.namespace=x",
     "metadata.namespace: Forbidden: not allowed on this type"},
    {"28 unqualified",
     "metadata.name=short\n"
     "spec.topology.dns.type=Public",
     "objectMeta.name: Invalid value: \"short\": Cluster Name must be a fully-qualified DNS name "
     "(e.g. --name=mycluster.myzone.com)"},
    {"28 unqualified without DNS", "metadata.name=short", ""},
    {"28 unqualified import",
     "metadata.name=short\n"
     "spec.topology.dns.type=Public\n"
     "metadata.annotations={kops.kubernetes.io/management: imported}",
     ""},
    {"29 cloudProvider",
     "spec.cloudProvider=\n"
     "spec.api={}",
     "spec.cloudProvider: Required value"},
    {"31 gossipConfig", "spec.gossipConfig={}",
     "spec.gossipConfig: Forbidden: gossip DNS support was removed in kOps 1.37; remove this field "
     "from the cluster spec"},
    {"31 dnsControllerGossipConfig", "spec.dnsControllerGossipConfig={}",
     "spec.dnsControllerGossipConfig: Forbidden: gossip DNS support was removed in kOps 1.37; "
     "remove this field from the cluster spec"},
    {"32 sshAccess", "spec.sshAccess=[10.0.0.1]",
     "spec.sshAccess[0]: Invalid value: \"10.0.0.1\": Could not be parsed as a CIDR (did you mean "
     "\"10.0.0.1/32\")"},
    {"32 prefix list on AWS", "spec.sshAccess=[pl-12345]", ""},
    {"33 API access", "spec.kubernetesApiAccess=[\"::1\"]",
     "spec.kubernetesAPIAccess[0]: Invalid value: \"::1\": Could not be parsed as a CIDR (did you "
     "mean \"::1/64\")"},
    {"34 nodePortAccess", "spec.nodePortAccess=[10.0.0.1/8]",
     "spec.nodePortAccess[0]: Invalid value: \"10.0.0.1/8\": Network contains bits outside prefix "
     "(did you mean \"10.0.0.0/8\")"},
    {"35 updatePolicy", "spec.updatePolicy=x",
     "spec.updatePolicy: Unsupported value: \"x\": supported values: \"automatic\", \"external\""},
    {"36 hook without action", "spec.hooks=[{name: x}]",
     "spec.hooks[0]: Required value: you must set either manifest or execContainer for a hook"},
    {"36 disabled hook", "spec.hooks=[{name: x, disabled: true}]", ""},
    {"37 raw with container",
     "spec.hooks=[{useRawManifest: true, manifest: x, execContainer: {image: y}}]",
     "spec.hooks[0]: Forbidden: execContainer may not be used with useRawManifest (use manifest "
     "instead)"},
    {"37 raw without manifest", "spec.hooks=[{useRawManifest: true}]",
     "spec.hooks[0]: Required value: you must set either manifest or execContainer for a hook\n"
     "spec.hooks[0]: Required value: you must set manifest when useRawManifest is true"},
    {"37 raw before", "spec.hooks=[{useRawManifest: true, manifest: x, before: [y]}]",
     "spec.hooks[0]: Forbidden: before may not be used with useRawManifest"},
    {"37 raw requires", "spec.hooks=[{useRawManifest: true, manifest: x, requires: [y]}]",
     "spec.hooks[0]: Forbidden: requires may not be used with useRawManifest"},
    {"38 container image", "spec.hooks=[{execContainer: {command: [y]}}]",
     "spec.hooks[0].execContainer.image: Required value: image must be specified"},
    {"39 file asset", "spec.fileAssets=[{path: /x}]",
     "spec.fileAssets[0].name: Required value\n"
     "spec.fileAssets[0].content: Required value"},
    {"41 OIDC and config file",
     "spec.kubeAPIServer={authenticationConfigFile: /x, oidcIssuerURL: y}",
     "spec.kubeAPIServer.authenticationConfigFile: Forbidden: authenticationConfigFile is mutually "
     "exclusive with OIDC options, remove all existing OIDC options to use "
     "authenticationConfigFile"},
    {"42 bootstrap tokens", "spec.kubeAPIServer={enableBootstrapTokenAuth: true}",
     "spec.kubeAPIServer.enableBootstrapTokenAuth: Forbidden: bootstrap tokens are not supported"},
    {"43 admissionControl", "spec.kubeAPIServer={admissionControl: [x]}",
     "spec.kubeAPIServer.admissionControl: Forbidden: admissionControl has been replaced with "
     "enableAdmissionPlugins"},
    {"44 PSP", "spec.kubeAPIServer={enableAdmissionPlugins: [PodSecurityPolicy]}",
     "spec.kubeAPIServer.enableAdmissionPlugins: Forbidden: PodSecurityPolicy has been removed "
     "from Kubernetes 1.25"},
    {"45 proxy client key alone", "spec.kubeAPIServer={proxyClientCertFile: x}",
     "spec.kubeAPIServer: Forbidden: proxyClientCertFile and proxyClientKeyFile must both be "
     "specified (or neither)"},
    {"46 port range x", "spec.kubeAPIServer={serviceNodePortRange: \"x\"}",
     "spec.kubeAPIServer.serviceNodePortRange: Invalid value: \"x\": strconv.Atoi: parsing \"x\": "
     "invalid syntax"},
    {"46 port range 1-y", "spec.kubeAPIServer={serviceNodePortRange: \"1-y\"}",
     "spec.kubeAPIServer.serviceNodePortRange: Invalid value: \"1-y\": strconv.Atoi: parsing "
     "\"y\": invalid syntax"},
    {"46 port range 1-2+3", "spec.kubeAPIServer={serviceNodePortRange: \"1-2+3\"}",
     "spec.kubeAPIServer.serviceNodePortRange: Invalid value: \"1-2+3\": unable to parse port "
     "range: 1-2+3"},
    {"46 port range 70000", "spec.kubeAPIServer={serviceNodePortRange: \"70000\"}",
     "spec.kubeAPIServer.serviceNodePortRange: Invalid value: \"70000\": the port range cannot be "
     "greater than 65535: 70000"},
    {"46 port range 5-4", "spec.kubeAPIServer={serviceNodePortRange: \"5-4\"}",
     "spec.kubeAPIServer.serviceNodePortRange: Invalid value: \"5-4\": end port cannot be less "
     "than start port: 5-4"},
    {"46 port range 65000+1000", "spec.kubeAPIServer={serviceNodePortRange: \"65000+1000\"}",
     "spec.kubeAPIServer.serviceNodePortRange: Invalid value: \"65000+1000\": the port range "
     "cannot be greater than 65535: 65000+1000"},
    {"46 port range", "spec.kubeAPIServer={serviceNodePortRange: \"28000-32767\"}", ""},
    {"47 Webhook", "spec.kubeAPIServer={authorizationMode: \"Node,RBAC,Webhook\"}",
     "spec.kubeAPIServer.authorizationWebhookConfigFile: Required value: Authorization mode "
     "Webhook requires authorizationWebhookConfigFile to be specified"},
    {"48 mode", "spec.kubeAPIServer={authorizationMode: \"Node,RBAC,X\"}",
     "spec.kubeAPIServer.authorizationMode: Unsupported value: \"X\": supported values: \"ABAC\", "
     "\"Webhook\", \"Node\", \"RBAC\", \"AlwaysAllow\", \"AlwaysDeny\""},
    {"48 Node and RBAC on AWS", "spec.kubeAPIServer={authorizationMode: RBAC}",
     "spec.kubeAPIServer.authorizationMode: Required value: As of kubernetes 1.19 on AWS, "
     "authorizationMode must include RBAC and Node"},
    {"49 logFormat", "spec.kubeAPIServer={logFormat: x}",
     "spec.kubeAPIServer.logFormat: Unsupported value: \"x\": supported values: \"text\", "
     "\"json\""},
    {"50 audit policy", "spec.kubeAPIServer={auditWebhookConfigFile: /a/b}",
     "spec.kubeAPIServer.auditWebhookConfigFile: Invalid value: \"/a/b\": an audit policy is "
     "required for the audit webhook config"},
    {"50 audit folder", "spec.kubeAPIServer={auditWebhookConfigFile: /a/b, auditPolicyFile: /c/d}",
     "spec.kubeAPIServer.auditWebhookConfigFile: Invalid value: \"/a/b\": the audit webhook config "
     "must be placed in the same directory as the audit policy"},
    {"50 audit", "spec.kubeAPIServer={auditWebhookConfigFile: /a/b, auditPolicyFile: /a/d}", ""},
    {"51 service range", "spec.kubeAPIServer={serviceClusterIPRange: 100.64.0.0/13}",
     "spec.kubeAPIServer.serviceClusterIPRange: Forbidden: kubeAPIServer serviceClusterIPRange did "
     "not match cluster serviceClusterIPRange"},
    {"52 signing duration",
     "spec.kubeControllerManager={experimentalClusterSigningDuration: 1h0m0s}",
     "spec.kubeControllerManager.experimentalClusterSigningDuration: Forbidden: "
     "experimentalClusterSigningDuration has been replaced with clusterSigningDuration as of "
     "kubernetes 1.25"},
    {"53 usePolicyConfigMap", "spec.kubeScheduler={usePolicyConfigMap: true}",
     "spec.kubeScheduler.usePolicyConfigMap: Forbidden: usePolicyConfigMap is deprecated, use "
     "KubeSchedulerConfiguration"},
    {"54 ipvs", "spec.kubeProxy={ipvsExcludeCidrs: [x]}",
     "spec.kubeProxy.ipvsExcludeCIDRs[0]: Invalid value: \"x\": Invalid network CIDR"},
    {"55 master", "spec.kubeProxy={master: x}",
     "spec.kubeProxy.master: Invalid value: \"x\": Not a valid APIServer URL"},
    {"56 kubelet.configureCbr0", "spec.kubelet={configureCbr0: true}",
     "spec.kubelet.ConfigureCBR0: Forbidden: configure-cbr0 flag was removed in 1.5"},
    {"57 kubelet.apiServers", "spec.kubelet={apiServers: x}",
     "spec.kubelet.apiServers: Forbidden: api-servers flag was removed in 1.6"},
    {"58 kubelet.podInfraContainerImage", "spec.kubelet={podInfraContainerImage: x}",
     "spec.kubelet.podInfraContainerImage: Forbidden: pod-infra-container-image flag was "
     "deprecated in 1.24 and removed in 1.35, use containerd.sandboxImage instead"},
    {"60 kubelet.experimentalAllowedUnsafeSysctls",
     "spec.kubelet={experimentalAllowedUnsafeSysctls: [x]}",
     "spec.kubelet.experimentalAllowedUnsafeSysctls: Forbidden: experimentalAllowedUnsafeSysctls "
     "was renamed in k8s 1.11; please use allowedUnsafeSysctls instead"},
    {"61 kubelet.bootstrapKubeconfig", "spec.kubelet={bootstrapKubeconfig: x}",
     "spec.kubelet.bootstrapKubeconfig: Forbidden: bootstrap tokens are not supported"},
    {"63 kubelet.enableCadvisorJsonEndpoints", "spec.kubelet={enableCadvisorJsonEndpoints: true}",
     "spec.kubelet.enableCadvisorJsonEndpoints: Forbidden: enableCadvisorJsonEndpoints requires "
     "Kubernetes 1.18-1.20"},
    {"65 kubelet.cpuCFSQuotaPeriod", "spec.kubelet={cpuCFSQuotaPeriod: 1s}",
     "spec.kubelet.cpuCFSQuotaPeriod: Forbidden: cpuCFSQuotaPeriod has been removed on Kubernetes "
     ">=1.20"},
    {"66 kubelet.networkPluginName", "spec.kubelet={networkPluginName: x}",
     "spec.kubelet.networkPluginName: Forbidden: networkPluginName has been removed on Kubernetes "
     ">=1.24"},
    {"66 kubelet.networkPluginMTU", "spec.kubelet={networkPluginMTU: 9}",
     "spec.kubelet.networkPluginMTU: Forbidden: networkPluginMTU has been removed on Kubernetes "
     ">=1.24"},
    {"66 kubelet.nonMasqueradeCIDR", "spec.kubelet={nonMasqueradeCIDR: x}",
     "spec.kubelet.nonMasqueradeCIDR: Forbidden: nonMasqueradeCIDR has been removed on Kubernetes "
     ">=1.24"},
    {"67 kubelet.shutdownGracePeriodCriticalPods",
     "spec.kubelet={shutdownGracePeriodCriticalPods: 10s}",
     "spec.kubelet.shutdownGracePeriodCriticalPods: Forbidden: shutdownGracePeriodCriticalPods "
     "require shutdownGracePeriod"},
    {"59 kubelet", "spec.kubelet={requireKubeconfig: true}",
     "spec.kubelet.requireKubeconfig: Forbidden: require-kubeconfig flag was removed in 1.10.  "
     "(Please be sure you are not using a cluster config from `kops get cluster --full`)"},
    {"62 kubelet", "spec.kubelet={topologyManagerPolicy: x}",
     "spec.kubelet.topologyManagerPolicy: Unsupported value: \"x\": supported values: \"none\", "
     "\"best-effort\", \"restricted\", \"single-numa-node\""},
    {"64 kubelet", "spec.kubelet={logFormat: x}",
     "spec.kubelet.logFormat: Unsupported value: \"x\": supported values: \"text\", \"json\""},
    {"68 kubelet", "spec.kubelet={shutdownGracePeriod: 5s, shutdownGracePeriodCriticalPods: 10s}",
     "spec.kubelet.shutdownGracePeriodCriticalPods: Invalid value: \"&Duration{Duration:10s,}\": "
     "shutdownGracePeriodCriticalPods cannot be greater than shutdownGracePeriod"},
    {"69 kubelet", "spec.kubelet={crashLoopBackOffMaxContainerRestartPeriod: 301s}",
     "spec.kubelet.crashLoopBackOffMaxContainerRestartPeriod: Invalid value: "
     "\"&Duration{Duration:5m1s,}\": crashLoopBackOffMaxContainerRestartPeriod must be a value "
     "between 1s and 300s"},
    {"70 kubelet", "spec.kubelet={memorySwapBehavior: x}",
     "spec.kubelet.memorySwapBehavior: Unsupported value: \"x\": supported values: "
     "\"LimitedSwap\", \"UnlimitedSwap\""},
    {"56 masterKubelet.configureCbr0", "spec.masterKubelet={configureCbr0: true}",
     "spec.controlPlaneKubelet.ConfigureCBR0: Forbidden: configure-cbr0 flag was removed in 1.5"},
    {"57 masterKubelet.apiServers", "spec.masterKubelet={apiServers: x}",
     "spec.controlPlaneKubelet.apiServers: Forbidden: api-servers flag was removed in 1.6"},
    {"58 masterKubelet.podInfraContainerImage", "spec.masterKubelet={podInfraContainerImage: x}",
     "spec.controlPlaneKubelet.podInfraContainerImage: Forbidden: pod-infra-container-image flag "
     "was deprecated in 1.24 and removed in 1.35, use containerd.sandboxImage instead"},
    {"60 masterKubelet.experimentalAllowedUnsafeSysctls",
     "spec.masterKubelet={experimentalAllowedUnsafeSysctls: [x]}",
     "spec.controlPlaneKubelet.experimentalAllowedUnsafeSysctls: Forbidden: "
     "experimentalAllowedUnsafeSysctls was renamed in k8s 1.11; please use allowedUnsafeSysctls "
     "instead"},
    {"61 masterKubelet.bootstrapKubeconfig", "spec.masterKubelet={bootstrapKubeconfig: x}",
     "spec.controlPlaneKubelet.bootstrapKubeconfig: Forbidden: bootstrap tokens are not supported"},
    {"63 masterKubelet.enableCadvisorJsonEndpoints",
     "spec.masterKubelet={enableCadvisorJsonEndpoints: true}",
     "spec.controlPlaneKubelet.enableCadvisorJsonEndpoints: Forbidden: enableCadvisorJsonEndpoints "
     "requires Kubernetes 1.18-1.20"},
    {"65 masterKubelet.cpuCFSQuotaPeriod", "spec.masterKubelet={cpuCFSQuotaPeriod: 1s}",
     "spec.controlPlaneKubelet.cpuCFSQuotaPeriod: Forbidden: cpuCFSQuotaPeriod has been removed on "
     "Kubernetes >=1.20"},
    {"66 masterKubelet.networkPluginName", "spec.masterKubelet={networkPluginName: x}",
     "spec.controlPlaneKubelet.networkPluginName: Forbidden: networkPluginName has been removed on "
     "Kubernetes >=1.24"},
    {"66 masterKubelet.networkPluginMTU", "spec.masterKubelet={networkPluginMTU: 9}",
     "spec.controlPlaneKubelet.networkPluginMTU: Forbidden: networkPluginMTU has been removed on "
     "Kubernetes >=1.24"},
    {"66 masterKubelet.nonMasqueradeCIDR", "spec.masterKubelet={nonMasqueradeCIDR: x}",
     "spec.controlPlaneKubelet.nonMasqueradeCIDR: Forbidden: nonMasqueradeCIDR has been removed on "
     "Kubernetes >=1.24"},
    {"67 masterKubelet.shutdownGracePeriodCriticalPods",
     "spec.masterKubelet={shutdownGracePeriodCriticalPods: 10s}",
     "spec.controlPlaneKubelet.shutdownGracePeriodCriticalPods: Forbidden: "
     "shutdownGracePeriodCriticalPods require shutdownGracePeriod"},
    {"59 masterKubelet", "spec.masterKubelet={requireKubeconfig: true}",
     "spec.controlPlaneKubelet.requireKubeconfig: Forbidden: require-kubeconfig flag was removed "
     "in 1.10.  (Please be sure you are not using a cluster config from `kops get cluster "
     "--full`)"},
    {"62 masterKubelet", "spec.masterKubelet={topologyManagerPolicy: x}",
     "spec.controlPlaneKubelet.topologyManagerPolicy: Unsupported value: \"x\": supported values: "
     "\"none\", \"best-effort\", \"restricted\", \"single-numa-node\""},
    {"64 masterKubelet", "spec.masterKubelet={logFormat: x}",
     "spec.controlPlaneKubelet.logFormat: Unsupported value: \"x\": supported values: \"text\", "
     "\"json\""},
    {"68 masterKubelet",
     "spec.masterKubelet={shutdownGracePeriod: 5s, shutdownGracePeriodCriticalPods: 10s}",
     "spec.controlPlaneKubelet.shutdownGracePeriodCriticalPods: Invalid value: "
     "\"&Duration{Duration:10s,}\": shutdownGracePeriodCriticalPods cannot be greater than "
     "shutdownGracePeriod"},
    {"69 masterKubelet", "spec.masterKubelet={crashLoopBackOffMaxContainerRestartPeriod: 301s}",
     "spec.controlPlaneKubelet.crashLoopBackOffMaxContainerRestartPeriod: Invalid value: "
     "\"&Duration{Duration:5m1s,}\": crashLoopBackOffMaxContainerRestartPeriod must be a value "
     "between 1s and 300s"},
    {"70 masterKubelet", "spec.masterKubelet={memorySwapBehavior: x}",
     "spec.controlPlaneKubelet.memorySwapBehavior: Unsupported value: \"x\": supported values: "
     "\"LimitedSwap\", \"UnlimitedSwap\""},
    {"68 equal periods",
     "spec.kubelet={shutdownGracePeriod: 10s, shutdownGracePeriodCriticalPods: 10s}", ""},
    {"71 networkCIDR", "spec.networkCIDR=",
     "spec.networking.networkCIDR: Required value: Cluster does not have networkCIDR set"},
    {"base on gce",
     "spec.cloudProvider=gce\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[{name: a, type: Public, region: r, cidr: 10.0.16.0/20}]",
     ""},
    {"base on hetzner",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]",
     ""},
    {"base on digitalocean",
     "spec.cloudProvider=digitalocean\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]",
     ""},
    {"base on linode",
     "spec.cloudProvider=linode\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]",
     ""},
    {"base on azure",
     "spec.cloudProvider=azure\n"
     "spec.api={}\n"
     "spec.networkCIDR=10.0.0.0/16\n"
     "spec.subnets=[{name: a, type: Public, region: r, cidr: 10.0.0.0/17}]",
     ""},
    {"base on openstack",
     "spec.cloudProvider=openstack\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.cloudConfig={openstack: {router: {externalNetwork: x}}}\n"
     "spec.subnets=[{name: a, type: Public, zone: z}]",
     ""},
    {"32 prefix list elsewhere",
     "spec.cloudProvider=gce\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[{name: a, type: Public, region: r, cidr: 10.0.16.0/20}]\n"
     "spec.sshAccess=[pl-12345]",
     "spec.sshAccess[0]: Invalid value: \"pl-12345\": Prefix List ID only supported for AWS"},
    {"72 GCE",
     "spec.cloudProvider=gce\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[{name: a, type: Public, region: r, cidr: 10.0.16.0/20}]\n"
     "spec.networkCIDR=10.0.0.0/8",
     "spec.networking.networkCIDR: Forbidden: gce doesn't support networkCIDR"},
    {"73 public range",
     "spec.cloudProvider=digitalocean\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.networkCIDR=8.0.0.0/8",
     "spec.networking.networkCIDR: Invalid value: \"8.0.0.0/8\": networkCIDR must be within a "
     "private IP range"},
    {"73 DO both",
     "spec.cloudProvider=digitalocean\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.networkCIDR=10.0.0.0/16\n"
     "spec.networkID=x",
     "spec.networking.networkCIDR: Forbidden: DO doesn't support specifying both NetworkID and "
     "NetworkCIDR"},
    {"73 Linode both",
     "spec.cloudProvider=linode\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.networkCIDR=10.0.0.0/16\n"
     "spec.networkID=x",
     "spec.networking.networkCIDR: Forbidden: Akamai (Linode) doesn't support specifying both "
     "NetworkID and NetworkCIDR"},
    {"74 additional elsewhere",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.additionalNetworkCIDRs=[10.1.0.0/16]",
     "spec.networking.additionalNetworkCIDRs: Forbidden: hetzner doesn't support "
     "additionalNetworkCIDRs"},
    {"75 nonMasqueradeCIDR", "spec.nonMasqueradeCIDR=",
     "spec.networking.nonMasqueradeCIDR: Required value: Cluster does not have nonMasqueradeCIDR "
     "set"},
    {"75 GCE needs none",
     "spec.cloudProvider=gce\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[{name: a, type: Public, region: r, cidr: 10.0.16.0/20}]\n"
     "spec.nonMasqueradeCIDR=",
     ""},
    {"76 IPv6", "spec.nonMasqueradeCIDR=\"fd00::/8\"",
     "spec.networking.nonMasqueradeCIDR: Forbidden: IPv6 clusters must have a nonMasqueradeCIDR of "
     "\"::/0\""},
    {"77 overlap", "spec.nonMasqueradeCIDR=172.16.0.0/12",
     "spec.networking.nonMasqueradeCIDR: Forbidden: nonMasqueradeCIDR \"172.16.0.0/12\" cannot "
     "overlap with networkCIDR \"172.20.0.0/16\""},
    {"77 overlap with additional", "spec.additionalNetworkCIDRs=[10.0.0.0/16, 100.64.0.0/16]",
     "spec.networking.nonMasqueradeCIDR: Forbidden: nonMasqueradeCIDR \"100.64.0.0/10\" cannot "
     "overlap with additionalNetworkCIDRs[1] \"100.64.0.0/16\""},
    {"77 amazonvpc overlaps",
     "spec.nonMasqueradeCIDR=172.20.0.0/16\n"
     "spec.networking={amazonvpc: {}}",
     ""},
    {"79 podCIDR", "spec.podCIDR=10.0.0.0/8",
     "spec.networking.podCIDR: Forbidden: podCIDR \"10.0.0.0/8\" must be a subnet of "
     "nonMasqueradeCIDR \"100.64.0.0/10\""},
    {"40 service range", "spec.serviceClusterIPRange=x",
     "spec.networking.serviceClusterIPRange: Invalid value: \"x\": Could not be parsed as a CIDR"},
    {"81 subnets", "spec.subnets=[]",
     "spec.networking.subnets: Required value: must configure at least one subnet (use --zones)"},
    {"82 subnet name", "spec.subnets[0].name=", "spec.networking.subnets[0].name: Required value"},
    {"82 subnet name twice", "spec.subnets[1].name=a",
     "spec.networking.subnets[1].name: Duplicate value: \"a\""},
    {"84 outside", "spec.subnets[0].cidr=10.0.0.0/24",
     "spec.networking.subnets[0].cidr: Forbidden: subnet \"a\" cidr \"10.0.0.0/24\" is not a "
     "subnet of the networkCIDR \"172.20.0.0/16\""},
    {"84 outside all",
     "spec.additionalNetworkCIDRs=[10.1.0.0/16]\n"
     "spec.subnets[0].cidr=10.0.0.0/24",
     "spec.networking.subnets[0].cidr: Forbidden: subnet \"a\" cidr \"10.0.0.0/24\" is not a "
     "subnet of the networkCIDR \"172.20.0.0/16\" or an additionalNetworkCIDR"},
    {"85 pods",
     "spec.cloudProvider=openstack\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.cloudConfig={openstack: {router: {externalNetwork: x}}}\n"
     "spec.subnets=[{name: a, type: Public, zone: z}]\n"
     "spec.podCIDR=100.96.0.0/11\n"
     "spec.subnets[0].cidr=100.96.0.0/16",
     "spec.networking.subnets[0].cidr: Forbidden: subnet \"a\" cidr \"100.96.0.0/16\" must not "
     "overlap podCIDR \"100.96.0.0/11\""},
    {"85 services",
     "spec.cloudProvider=openstack\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.cloudConfig={openstack: {router: {externalNetwork: x}}}\n"
     "spec.subnets=[{name: a, type: Public, zone: z}]\n"
     "spec.serviceClusterIPRange=100.64.0.0/13\n"
     "spec.subnets[0].cidr=100.64.0.0/16",
     "spec.networking.subnets[0].cidr: Forbidden: subnet \"a\" cidr \"100.64.0.0/16\" must not "
     "overlap serviceClusterIPRange \"100.64.0.0/13\""},
    {"86 size", "spec.subnets[0].ipv6CIDR=/129#1",
     "spec.networking.subnets[0].ipv6CIDR: Invalid value: \"/129#1\": IPv6 CIDR subnet size must "
     "be a value between 0 and 128"},
    {"86 notation", "spec.subnets[0].ipv6CIDR=/64",
     "spec.networking.subnets[0].ipv6CIDR: Invalid value: \"/64\": IPv6 CIDR subnet is not "
     "parsable: the form is /SIZE#NUMBER"},
    {"86 IPv4", "spec.subnets[0].ipv6CIDR=10.0.0.0/8",
     "spec.networking.subnets[0].ipv6CIDR: Invalid value: \"10.0.0.0/8\": Network is not an IPv6 "
     "CIDR"},
    {"86 services",
     "spec.serviceClusterIPRange=\"fd00::/108\"\n"
     "spec.subnets[0].ipv6CIDR=\"fd00::/64\"",
     "spec.networking.subnets[0].ipv6CIDR: Forbidden: ipv6CIDR \"fd00::/64\" must not overlap "
     "serviceClusterIPRange \"fd00::/108\""},
    {"86 elsewhere",
     "spec.cloudProvider=openstack\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.cloudConfig={openstack: {router: {externalNetwork: x}}}\n"
     "spec.subnets=[{name: a, type: Public, zone: z}]\n"
     "spec.subnets[0].ipv6CIDR=/64#1",
     "spec.networking.subnets[0].ipv6CIDR: Forbidden: ipv6CIDR can only be specified for AWS"},
    {"87 egress", "spec.subnets[1].egress=foo-1",
     "spec.networking.subnets[1].egress: Invalid value: \"foo-1\": egress must be of type NAT "
     "Gateway, NAT Gateway with existing ElasticIP, NAT EC2 Instance, Transit Gateway, or "
     "External"},
    {"87 egress kinds", "spec.subnets[1].egress=tgw-123", ""},
    {"88 egress of public", "spec.subnets[0].egress=nat-123",
     "spec.networking.subnets[0].egress: Forbidden: egress can only be specified for private or "
     "IPv6-capable public subnets"},
    {"88 external", "spec.subnets[0].egress=External", ""},
    {"89 type", "spec.subnets[0].type=Bogus",
     "spec.networking.subnets[0].type: Unsupported value: \"Bogus\": supported values: \"Public\", "
     "\"Private\", \"DualStack\", \"Utility\""},
    {"89 type absent", "spec.subnets[0].type=",
     "spec.networking.subnets[0].type: Unsupported value: \"\": supported values: \"Public\", "
     "\"Private\", \"DualStack\", \"Utility\""},
    {"89 dual stack", "spec.subnets[0].type=DualStack",
     "spec.networking.subnets[0].type: Forbidden: subnet type DualStack may only be used in IPv6 "
     "clusters"},
    {"89 OpenStack router",
     "spec.cloudProvider=openstack\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.cloudConfig={openstack: {router: {externalNetwork: x}}}\n"
     "spec.subnets=[{name: a, type: Public, zone: z}]\n"
     "spec.cloudConfig={openstack: {}}",
     "spec.networking.subnets[0].type: Forbidden: subnet type Public requires an external network"},
    {"90 routes on shared",
     "spec.subnets=[{name: b, type: Private, id: subnet-1, cidr: 172.20.0.0/18, additionalRoutes: "
     "[{cidr: 10.0.0.0/8, target: pcx-1}]}]",
     "spec.networking.subnets[0].additionalRoutes: Forbidden: additional routes cannot be added if "
     "the subnet is shared"},
    {"90 routes on public", "spec.subnets[0].additionalRoutes=[{cidr: 10.0.0.0/8, target: pcx-1}]",
     "spec.networking.subnets[0].additionalRoutes: Forbidden: additional routes can only be added "
     "on private subnets"},
    {"90 target", "spec.subnets[1].additionalRoutes=[{cidr: 10.0.0.0/8, target: x}]",
     "spec.networking.subnets[1].additionalRoutes[0].target: Invalid value: \"x\": unknown target "
     "type for route"},
    {"90 twice",
     "spec.subnets[1].additionalRoutes=[{cidr: 10.0.0.0/8, target: i-1}, {cidr: 10.0.0.0/8, "
     "target: i-2}]",
     "spec.networking.subnets[1].additionalRoutes[1].cidr: Duplicate value: \"10.0.0.0/8\""},
    {"91 ids", "spec.subnets[1].id=subnet-1",
     "spec.networking.subnets[1].id: Forbidden: cannot mix subnets with specified ID and "
     "unspecified ID"},
    {"92 region",
     "spec.cloudProvider=gce\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[{name: a, type: Public, region: r, cidr: 10.0.16.0/20}]\n"
     "spec.subnets[0].region=",
     "spec.networking.subnets[0].region: Required value: region must be specified"},
    {"92 regions",
     "spec.cloudProvider=gce\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[{name: a, type: Public, region: r, cidr: 10.0.16.0/20}]\n"
     "spec.subnets[1]={name: b, type: Public, region: s}",
     "spec.networking.subnets[1].region: Forbidden: clusters cannot span regions"},
    {"93 dns", "spec.topology.dns.type=X",
     "spec.networking.topology.dns.type: Unsupported value: \"X\": supported values: \"Public\", "
     "\"Private\", \"None\""},
    {"94 gossip",
     "metadata.name=c.k8s.local\n"
     "spec.topology.dns.type=Private",
     "spec.networking.topology.dns.type: Forbidden: gossip DNS support was removed in kOps 1.37; "
     "migrate the cluster to dns=none or a hosted DNS zone using kOps 1.36 before upgrading (see "
     "https://kops.sigs.k8s.io/gossip/)"},
    {"94 without DNS", "metadata.name=c.k8s.local", ""},
    {"95 private",
     "spec.cloudProvider=digitalocean\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.topology.dns.type=Private",
     "spec.networking.topology.dns.type: Forbidden: cloud provider \"digitalocean\" does not "
     "support private dns topology"},
    {"95 public",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.topology.dns.type=Public",
     "spec.networking.topology.dns.type: Forbidden: cloud provider \"hetzner\" does not support "
     "public dns topology"},
    {"96 classic", "spec.networking={classic: {}}",
     "spec.networking: Invalid value: \"classic\": classic networking is not supported"},
    {"97 kubenet",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.networking={kubenet: {}}",
     "spec.networking.kubenet: Forbidden: Kubenet does not support IPv6"},
    {"97 kopeio",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.networking={kopeio: {}}",
     "spec.networking.kopeio: Forbidden: Kopeio does not support IPv6"},
    {"97 kuberouter",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.networking={kuberouter: {}}",
     "spec.networking.kubeRouter: Forbidden: kube-router does not support IPv6"},
    {"97 flannel",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.networking={flannel: {backend: udp}}",
     "spec.networking.flannel: Forbidden: Flannel does not support IPv6"},
    {"97 amazonvpc",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.networking={amazonvpc: {}}",
     "spec.networking.amazonVPC: Forbidden: amazon-vpc-routed-eni networking does not support "
     "IPv6"},
    {"97 gcp",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.cloudProvider=gce\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[{name: a, type: Public, region: r}]\n"
     "spec.networking={gce: {}}",
     "spec.networking.gcp: Forbidden: GCP networking does not support IPv6"},
    {"98 external", "spec.networking={external: {}}",
     "spec.networking.external: Forbidden: external is not supported for Kubernetes >= 1.26"},
    {"99 weave", "spec.networking={weave: {}}",
     "spec.networking.weave: Forbidden: Weave is no longer supported"},
    {"99 canal", "spec.networking={canal: {}}",
     "spec.networking.canal: Forbidden: Canal is not supported for Kubernetes >= 1.28"},
    {"99 romana", "spec.networking={romana: {}}",
     "spec.networking.romana: Forbidden: support for Romana has been removed"},
    {"99 lyftvpc", "spec.networking={lyftvpc: {}}",
     "spec.networking.lyftvpc: Forbidden: support for LyftVPC has been removed"},
    {"100 backend", "spec.networking={flannel: {}}",
     "spec.networking.flannel.backend: Required value: Flannel backend must be specified"},
    {"100 backend kind", "spec.networking={flannel: {backend: x}}",
     "spec.networking.flannel.backend: Unsupported value: \"x\": supported values: \"udp\", "
     "\"vxlan\""},
    {"101 kube-router",
     "spec.networking={kuberouter: {}}\n"
     "spec.kubeProxy={enabled: true}",
     "spec.spec.kubeProxy.enabled: Forbidden: kube-router requires kubeProxy to be disabled"},
    {"101 cilium",
     "spec.networking={cilium: {enableNodePort: true}}\n"
     "spec.kubeProxy={}",
     "spec.spec.kubeProxy.enabled: Forbidden: When Cilium NodePort is enabled, kubeProxy must be "
     "disabled"},
    {"101 calico",
     "spec.networking={calico: {bpfEnabled: true}}\n"
     "spec.kubeProxy={enabled: true}",
     "spec.kubeProxy.enabled: Forbidden: calico in BPF mode "
     "(spec.networking.calico.bpfEnabled=true) requires kubeProxy to be disabled"},
    {"102 amazonvpc",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.networking={amazonvpc: {}}",
     "spec.networking.amazonVPC: Forbidden: amazon-vpc-routed-eni networking is supported only in "
     "AWS"},
    {"102 gcp", "spec.networking={gce: {}}",
     "spec.networking.gcp: Forbidden: GCP networking is supported only when on GCP"},
    {"103 check", "spec.networking={calico: {awsSrcDstCheck: x}}",
     "spec.networking.calico.awsSrcDstCheck: Unsupported value: \"x\": supported values: "
     "\"Enable\", \"Disable\", \"DoNothing\""},
    {"103 IPv6",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.networking={calico: {awsSrcDstCheck: Enable}}",
     "spec.networking.calico.awsSrcDstCheck: Forbidden: awsSrcDstCheck may only be \"DoNothing\" "
     "for IPv6 clusters"},
    {"104 bpfExternalServiceMode", "spec.networking={calico: {bpfExternalServiceMode: x}}",
     "spec.networking.calico.bpfExternalServiceMode: Unsupported value: \"x\": supported values: "
     "\"Tunnel\", \"DSR\""},
    {"104 bpfLogLevel", "spec.networking={calico: {bpfLogLevel: x}}",
     "spec.networking.calico.bpfLogLevel: Unsupported value: \"x\": supported values: \"Off\", "
     "\"Info\", \"Debug\""},
    {"104 chainInsertMode", "spec.networking={calico: {chainInsertMode: x}}",
     "spec.networking.calico.chainInsertMode: Unsupported value: \"x\": supported values: "
     "\"insert\", \"append\""},
    {"104 iptablesBackend", "spec.networking={calico: {iptablesBackend: x}}",
     "spec.networking.calico.iptablesBackend: Unsupported value: \"x\": supported values: "
     "\"Auto\", \"Legacy\", \"NFT\""},
    {"105 mode", "spec.networking={calico: {encapsulationMode: x}}",
     "spec.networking.calico.encapsulationMode: Unsupported value: \"x\": supported values: "
     "\"ipip\", \"vxlan\", \"none\""},
    {"105 IPv6",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.networking={calico: {encapsulationMode: ipip}}",
     "spec.networking.calico.encapsulationMode: Forbidden: IPv6 requires an encapsulationMode of "
     "\"none\""},
    {"105 none", "spec.networking={calico: {encapsulationMode: none}}",
     "spec.networking.calico.encapsulationMode: Forbidden: encapsulationMode \"none\" is only "
     "supported for IPv6 clusters"},
    {"105 Azure",
     "spec.cloudProvider=azure\n"
     "spec.api={}\n"
     "spec.networkCIDR=10.0.0.0/16\n"
     "spec.subnets=[{name: a, type: Public, region: r, cidr: 10.0.0.0/17}]\n"
     "spec.networking={calico: {encapsulationMode: ipip}}",
     "spec.networking.calico.encapsulationMode: Forbidden: Azure requires an encapsulationMode of "
     "\"vxlan\""},
    {"106 ipipMode", "spec.networking={calico: {ipipMode: x}}",
     "spec.networking.calico.ipipMode: Unsupported value: \"x\": supported values: \"Always\", "
     "\"CrossSubnet\", \"Never\""},
    {"106 vxlanMode", "spec.networking={calico: {vxlanMode: x}}",
     "spec.networking.calico.vxlanMode: Unsupported value: \"x\": supported values: \"Always\", "
     "\"CrossSubnet\", \"Never\""},
    {"106 ipip", "spec.networking={calico: {encapsulationMode: vxlan, ipipMode: Always}}",
     "spec.networking.calico.ipipMode: Forbidden: IP-in-IP encapsulation requires use of Calico's "
     "\"ipip\" encapsulation mode"},
    {"106 vxlan", "spec.networking={calico: {encapsulationMode: ipip, vxlanMode: Always}}",
     "spec.networking.calico.vxlanMode: Forbidden: VXLAN encapsulation requires use of Calico's "
     "\"vxlan\" encapsulation mode"},
    {"107 v4 x", "spec.networking={calico: {ipv4AutoDetectionMethod: \"x\"}}",
     "spec.networking.calico.ipv4AutoDetectionMethod: Invalid value: \"x\": malformed "
     "autodetection method"},
    {"107 v4 x=y", "spec.networking={calico: {ipv4AutoDetectionMethod: \"x=y\"}}",
     "spec.networking.calico.ipv4AutoDetectionMethod: Invalid value: \"x=y\": unsupported "
     "autodetection method"},
    {"107 v4 can-reach=y", "spec.networking={calico: {ipv4AutoDetectionMethod: \"can-reach=y\"}}",
     "spec.networking.calico.ipv4AutoDetectionMethod: Invalid value: \"can-reach=y\": must be a "
     "valid IPv4 address"},
    {"107 v4 interface=", "spec.networking={calico: {ipv4AutoDetectionMethod: \"interface=\"}}",
     "spec.networking.calico.ipv4AutoDetectionMethod: Invalid value: \"interface=\": 'interface=' "
     "must be followed by a comma separated list of interface regular expressions"},
    {"107 v6", "spec.networking={calico: {ipv6AutoDetectionMethod: can-reach=1.2.3.4}}",
     "spec.networking.calico.ipv6AutoDetectionMethod: Invalid value: \"can-reach=1.2.3.4\": must "
     "be a valid IPv6 address"},
    {"107 good",
     "spec.networking={calico: {ipv4AutoDetectionMethod: \"interface=eth.*,en0\", "
     "ipv6AutoDetectionMethod: \"can-reach=::1\"}}",
     ""},
    {"108 typha", "spec.networking={calico: {typhaReplicas: -1}}",
     "spec.networking.calico.typhaReplicas: Invalid value: -1: Unable to set number of Typha "
     "replicas to less than 0, you've specified -1"},
    {"109 wireguard",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.networking={calico: {wireguardEnabled: true}}",
     "spec.networking.calico.wireguardEnabled: Forbidden: WireGuard is not supported on IPv6 "
     "clusters"},
    {"110 prefix", "spec.networking={cilium: {version: 1.18.1, enablePolicy: x}}",
     "spec.networking.cilium.version: Invalid value: \"1.18.1\": Cilium version must be prefixed "
     "with 'v'"},
    {"110 parse", "spec.networking={cilium: {version: vx}}",
     "spec.networking.cilium.version: Invalid value: \"vx\": Could not parse as semantic version\n"
     "spec.networking.cilium.version: Invalid value: \"vx\": Only version 1.18 is supported"},
    {"110 minor", "spec.networking={cilium: {version: v1.17.1}}",
     "spec.networking.cilium.version: Invalid value: \"v1.17.1\": Only version 1.18 is supported"},
    {"111 hubble", "spec.networking={cilium: {version: v1.18.1, hubble: {enabled: true}}}",
     "spec.networking.cilium.hubble.enabled: Forbidden: Hubble requires that cert manager is "
     "enabled"},
    {"111 hubble with cert manager",
     "spec.networking={cilium: {version: v1.18.1, hubble: {enabled: true}}}\n"
     "spec.certManager={enabled: true}",
     ""},
    {"112-117 enablePolicy", "spec.networking={cilium: {enablePolicy: x}}",
     "spec.networking.cilium.enablePolicy: Unsupported value: \"x\": supported values: "
     "\"default\", \"always\", \"never\""},
    {"112-117 tunnel", "spec.networking={cilium: {tunnel: x}}",
     "spec.networking.cilium.tunnel: Unsupported value: \"x\": supported values: \"vxlan\", "
     "\"geneve\", \"disabled\""},
    {"112-117 monitorAggregation", "spec.networking={cilium: {monitorAggregation: x}}",
     "spec.networking.cilium.monitorAggregation: Unsupported value: \"x\": supported values: "
     "\"low\", \"medium\", \"maximum\""},
    {"112-117 identityAllocationMode", "spec.networking={cilium: {identityAllocationMode: x}}",
     "spec.networking.cilium.identityAllocationMode: Unsupported value: \"x\": supported values: "
     "\"crd\", \"kvstore\""},
    {"112-117 bpfLBAlgorithm", "spec.networking={cilium: {bpfLBAlgorithm: x}}",
     "spec.networking.cilium.bpfLBAlgorithm: Unsupported value: \"x\": supported values: "
     "\"random\", \"maglev\""},
    {"112-117 ipam", "spec.networking={cilium: {ipam: x}}",
     "spec.networking.cilium.ipam: Unsupported value: \"x\": supported values: \"hostscope\", "
     "\"kubernetes\", \"crd\", \"eni\""},
    {"113 kvstore", "spec.networking={cilium: {identityAllocationMode: kvstore}}",
     "spec.networking.cilium.identityAllocationMode: Forbidden: Cilium requires managed etcd to "
     "allocate identities on kvstore mode"},
    {"114 socket", "spec.networking={cilium: {bpfLBSockHostNSOnly: true}}",
     "spec.networking.cilium.bpfLBSockHostNSOnly: Forbidden: bpfLBSockHostNSOnly requires "
     "bpfLBSock to be enabled"},
    {"115 IPv6",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.networking={cilium: {enableEncryption: true}}",
     "spec.networking.cilium.enableEncryption: Forbidden: encryption is not supported on IPv6 "
     "clusters"},
    {"115 type alone", "spec.networking={cilium: {encryptionType: ipsec}}",
     "spec.networking.cilium.encryptionType: Forbidden: encryptionType requires enableEncryption"},
    {"115 type", "spec.networking={cilium: {enableEncryption: true, encryptionType: x}}",
     "spec.networking.cilium.encryptionType: Unsupported value: \"x\": supported values: "
     "\"ipsec\", \"wireguard\""},
    {"116 L7", "spec.networking={cilium: {enableL7Proxy: true, IPTablesRulesNoinstall: true}}",
     "spec.networking.cilium.enableL7Proxy: Forbidden: Cilium L7 Proxy requires "
     "installIptablesRules."},
    {"117 ENI elsewhere",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.networking={cilium: {ipam: eni}}",
     "spec.networking.cilium.ipam: Forbidden: Cilum ENI IPAM is supported only in AWS"},
    {"117 ENI IPv6",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.networking={cilium: {ipam: eni}}",
     "spec.networking.cilium.ipam: Forbidden: Cilium ENI IPAM does not support IPv6"},
    {"118 etcd", "spec.networking={cilium: {etcdManaged: true}}",
     "spec.etcdClusters: Required value: Cilium with managed etcd requires a dedicated etcd "
     "cluster"},
    {"119 ingress",
     "spec.networking={cilium: {ingress: {enabled: true, defaultLoadBalancerMode: x}}}",
     "spec.networking.cilium.ingress.defaultLoadBalancerMode: Unsupported value: \"x\": supported "
     "values: \"shared\", \"dedicated\""},
    {"120 two plug-ins", "spec.networking={cilium: {}, calico: {}}",
     "spec.networking.calico: Forbidden: only one networking option permitted, found calico, "
     "cilium\n"
     "spec.networking.cilium: Forbidden: only one networking option permitted, found calico, "
     "cilium"},
    {"121 nodeAuthorization", "spec.nodeAuthorization={}",
     "spec.nodeAuthorization: Forbidden: NodeAuthorization must be empty. The functionality has "
     "been reimplemented and is enabled on kubernetes >= 1.19.0."},
    {"122 expander", "spec.clusterAutoscaler={expander: x}",
     "spec.clusterAutoscaler.expander: Unsupported value: \"x\": supported values: "
     "\"least-waste\", \"random\", \"most-pods\", \"price\", \"priority\""},
    {"122 price", "spec.clusterAutoscaler={expander: price}",
     "spec.clusterAutoscaler.expander: Forbidden: Cluster autoscaler price expander is only "
     "supported on GCE"},
    {"122 OpenStack",
     "spec.cloudProvider=openstack\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.cloudConfig={openstack: {router: {externalNetwork: x}}}\n"
     "spec.subnets=[{name: a, type: Public, zone: z}]\n"
     "spec.clusterAutoscaler={}",
     "spec.clusterAutoscaler: Forbidden: Cluster autoscaler is not supported on OpenStack"},
    {"123 provider", "spec.externalDns={provider: x}",
     "spec.externalDNS.provider: Unsupported value: \"x\": supported values: \"\", "
     "\"dns-controller\", \"external-dns\", \"none\""},
    {"123 without DNS", "spec.externalDns={provider: external-dns}",
     "spec.externalDNS.provider: Forbidden: external-dns requires public or private DNS topology"},
    {"123 disabled", "spec.externalDns={provider: x, disable: true}", ""},
    {"124 namespace", "spec.externalDns={watchNamespace: x}",
     "spec.externalDNS.watchNamespace: Forbidden: externalDNS must watch either all namespaces or "
     "only kube-system"},
    {"125 metrics", "spec.metricsServer={enabled: true, insecure: false}",
     "spec.metricsServer.insecure: Forbidden: Secure metrics server requires that cert manager is "
     "enabled"},
    {"126 snapshots", "spec.snapshotController={enabled: true}",
     "spec.snapshotController.enabled: Forbidden: Snapshot controller requires that cert manager "
     "is enabled"},
    {"127 manifest", "spec.addons=[{manifest: \"file:///x\"}]",
     "spec.addons[0].manifest: Invalid value: \"file:///x\": file:// addon manifests are not "
     "supported"},
    {"128 role", "spec.additionalPolicies={x: \"[]\"}",
     "spec.additionalPolicies: Unsupported value: \"x\": supported values: \"control-plane\", "
     "\"apiserver\", \"node\", \"bastion\", \"etcd\", \"scheduler\", \"kubecontrollermanager\""},
    {"128 effect absent", "spec.additionalPolicies={node: '[{\"Action\": \"a\"}]'}",
     "spec.additionalPolicies[node][0].Effect: Required value: Effect must be specified for IAM "
     "policy"},
    {"128 effect", "spec.additionalPolicies={master: '[{\"Effect\": \"x\"}]'}",
     "spec.additionalPolicies[control-plane][0].Effect: Unsupported value: \"x\": supported "
     "values: \"Allow\", \"Deny\""},
    {"128 good",
     "spec.additionalPolicies={master: '[{\"Effect\": \"Allow\", \"Action\": [\"a\"], "
     "\"Resource\": [\"*\"]}]'}",
     ""},
    {"129 role", "spec.externalPolicies={x: []}",
     "spec.externalPolicies: Unsupported value: \"x\": supported values: \"control-plane\", "
     "\"apiserver\", \"node\", \"bastion\", \"etcd\", \"scheduler\", \"kubecontrollermanager\""},
    {"129 ARN", "spec.externalPolicies={node: [\"arn:aws:iam::123456789012:role/x\"]}",
     "spec.externalPolicies.node: Invalid value: \"arn:aws:iam::123456789012:role/x\": Policy must "
     "be a valid AWS ARN such as arn:aws:iam::123456789012:policy/KopsExamplePolicy"},
    {"130 etcd", "spec.etcdClusters=[]", "spec.etcdClusters: Required value"},
    {"131 name", "spec.etcdClusters[1].name=x",
     "spec.etcdClusters[1].name: Unsupported value: \"x\": supported values: \"cilium\", \"main\", "
     "\"events\", \"leases\""},
    {"131 provider", "spec.etcdClusters[1].provider=Legacy",
     "spec.etcdClusters[1].provider: Unsupported value: \"Legacy\": supported values: \"Manager\""},
    {"132 members", "spec.etcdClusters[1].etcdMembers=[]",
     "spec.etcdClusters[1].etcdMembers: Required value: No members defined in etcd cluster"},
    {"132 even", "spec.etcdClusters[1].etcdMembers[1]={name: b, instanceGroup: x}",
     "spec.etcdClusters[1].etcdMembers: Invalid value: 2: Should be an odd number of "
     "control-plane-zones for quorum. Use --zones and --control-plane-zones to declare node zones "
     "and control-plane zones separately"},
    {"133 image", "spec.etcdClusters[0].image=x",
     "spec.etcdClusters[0].version: Required value: version must be set when image is set"},
    {"133 version", "spec.etcdClusters[0].version=x",
     "spec.etcdClusters[0].version: Invalid value: \"x\": the storage version is invalid"},
    {"133 major", "spec.etcdClusters[0].version=2.3.4",
     "spec.etcdClusters[0].version: Invalid value: \"2.3.4\": unsupported storage version, we only "
     "support major version 3"},
    {"134 member name", "spec.etcdClusters[0].etcdMembers[0].name=",
     "spec.etcdClusters[0].etcdMembers[0].name: Required value: etcdMember did not have name"},
    {"134 member group", "spec.etcdClusters[0].etcdMembers[0].instanceGroup=",
     "spec.etcdClusters[0].etcdMembers[0].instanceGroup: Required value: etcdMember did not have "
     "instanceGroup"},
    {"135 twice", "spec.etcdClusters[1].name=main",
     "spec.etcdClusters[0].backupStore: Forbidden: the backup store must be unique for each etcd "
     "cluster"},
    {"136 versions",
     "spec.etcdClusters[0].version=3.5.9\n"
     "spec.etcdClusters[1].version=3.5.8",
     "spec.etcdClusters[1].version: Forbidden: cluster: \"events\", has a different storage "
     "version: \"3.5.8\", both must be the same"},
    {"137 blob", "spec.keyStore=\"azureblob://a/b\"",
     "spec.configStore.keypairs: Invalid value: \"azureblob://a/b\": azureblob:// URL requires "
     "configStore.base to also be azureblob://"},
    {"137 account",
     "spec.configBase=\"azureblob://x/b\"\n"
     "spec.secretStore=\"azureblob://a/b\"",
     "spec.configStore.secrets: Invalid value: \"azureblob://a/b\": storage account \"a\" does not "
     "match configStore.base account \"x\""},
    {"137 backups", "spec.etcdClusters[1].backups={backupStore: \"azureblob://a/b\"}",
     "spec.etcdClusters[1].backups.backupStore: Invalid value: \"azureblob://a/b\": azureblob:// "
     "URL requires configStore.base to also be azureblob://"},
    {"138 runtime", "spec.containerRuntime=x",
     "spec.containerRuntime: Unsupported value: \"x\": supported values: \"containerd\", "
     "\"docker\""},
    {"138 docker", "spec.containerRuntime=docker",
     "spec.containerRuntime: Forbidden: Docker CRI support was removed in Kubernetes 1.24: "
     "https://kubernetes.io/blog/2020/12/02/dockershim-faq"},
    {"139 parse", "spec.containerd={version: x}",
     "spec.containerd.version: Invalid value: \"x\": unable to parse version string: Invalid "
     "version \"x\""},
    {"139 old", "spec.containerd={version: 2.0.9}",
     "spec.containerd.version: Invalid value: \"2.0.9\": unsupported legacy version; containerd "
     "2.1.0 or newer is required"},
    {"139 new", "spec.containerd={version: 2.1.0}", ""},
    {"140 url Amd64", "spec.containerd={packages: {urlAmd64: u}}",
     "spec.containerd.packageUrl: Invalid value: \"u\": Package hash must also be set"},
    {"140 hash Amd64", "spec.containerd={packages: {hashAmd64: h}}",
     "spec.containerd.packageHash: Invalid value: \"h\": Package URL must also be set"},
    {"140 length Amd64", "spec.containerd={packages: {urlAmd64: u, hashAmd64: h}}",
     "spec.containerd.packageHash: Invalid value: \"h\": Package hash must be 64 characters long"},
    {"140 url Arm64", "spec.containerd={packages: {urlArm64: u}}",
     "spec.containerd.packageUrlArm64: Invalid value: \"u\": Package hash must also be set"},
    {"140 hash Arm64", "spec.containerd={packages: {hashArm64: h}}",
     "spec.containerd.packageHashArm64: Invalid value: \"h\": Package URL must also be set"},
    {"140 length Arm64", "spec.containerd={packages: {urlArm64: u, hashArm64: h}}",
     "spec.containerd.packageHashArm64: Invalid value: \"h\": Package hash must be 64 characters "
     "long"},
    {"141 nvidia",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.containerd={nvidiaGPU: {enabled: true}}",
     "spec.containerd.nvidia: Forbidden: Nvidia is only supported on AWS and OpenStack"},
    {"141 nvidia OpenStack",
     "spec.cloudProvider=openstack\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.cloudConfig={openstack: {router: {externalNetwork: x}}}\n"
     "spec.subnets=[{name: a, type: Public, zone: z}]\n"
     "spec.containerd={nvidiaGPU: {enabled: true}}",
     "spec.containerd.nvidia: Forbidden: OpenStack supports nvidia configuration only in instance "
     "group"},
    {"141 gvisor", "spec.containerd={gvisor: {enabled: true}}",
     "spec.containerd.gvisor: Forbidden: gVisor can only be configured on instance groups"},
    {"141 nri", "spec.containerd={nri: {pluginRequestTimeout: 0s}}",
     "spec.containerd.nri.pluginRequestTimeout: Invalid value: \"0s\": must be a positive "
     "duration"},
    {"142 docker", "spec.docker={}",
     "spec.docker: Forbidden: Docker CRI support was removed in Kubernetes 1.24: "
     "https://kubernetes.io/blog/2020/12/02/dockershim-faq"},
    {"143 assets", "spec.assets={containerProxy: x, containerRegistry: y}",
     "spec.assets.containerProxy: Forbidden: containerProxy cannot be used in conjunction with "
     "containerRegistry"},
    {"144 scheme", "spec.assets={fileRepository: \"ftp://x\"}",
     "spec.assets.fileRepository: Invalid value: \"ftp://x\": fileRepository must be an http://, "
     "https://, gs://, s3://, or azureblob:// URL"},
    {"144 host", "spec.assets={fileRepository: \"https://\"}",
     "spec.assets.fileRepository: Invalid value: \"https://\": fileRepository must include a host"},
    {"144 gs", "spec.assets={fileRepository: \"gs://x\"}",
     "spec.assets.fileRepository: Invalid value: \"gs://x\": gs:// fileRepository is only "
     "supported on GCE, but the cloud provider is \"aws\""},
    {"145 sysctl", "spec.sysctlParameters=[x]",
     "spec.sysctlParameters[0]: Invalid value: \"x\": must contain a \"=\" character"},
    {"146 unreadable", "spec.rollingUpdate={maxUnavailable: x}",
     "spec.rollingUpdate.maxUnavailable: Invalid value: \"x\": Unable to parse: invalid value for "
     "IntOrString: invalid type: string is not a percentage"},
    {"146 negative", "spec.rollingUpdate={maxUnavailable: -1}",
     "spec.rollingUpdate.maxUnavailable: Invalid value: -1: Cannot be negative"},
    {"146 negative surge", "spec.rollingUpdate={maxSurge: -1}",
     "spec.rollingUpdate.maxSurge: Invalid value: -1: Cannot be negative"},
    {"146 both zero", "spec.rollingUpdate={maxUnavailable: 0, maxSurge: 0}",
     "spec.rollingUpdate.maxSurge: Forbidden: Cannot be zero if maxUnavailable is zero"},
    {"146 percentages", "spec.rollingUpdate={maxUnavailable: 25%, maxSurge: 10%}", ""},
    {"147 class",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.api={loadBalancer: {type: Public, class: Network}}",
     "spec.api.loadBalancer.class: Forbidden: class is only supported on AWS"},
    {"147 securityGroupOverride",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.api={loadBalancer: {type: Public, securityGroupOverride: sg-1}}",
     "spec.api.loadBalancer.securityGroupOverride: Forbidden: securityGroupOverride is only "
     "supported on AWS"},
    {"147 additionalSecurityGroups",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.api={loadBalancer: {type: Public, additionalSecurityGroups: [sg-1]}}",
     "spec.api.loadBalancer.additionalSecurityGroups: Forbidden: additionalSecurityGroups is only "
     "supported on AWS"},
    {"147 sslCertificate",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.api={loadBalancer: {type: Public, sslCertificate: x}}",
     "spec.api.loadBalancer.sslCertificate: Forbidden: sslCertificate is only supported on AWS"},
    {"147 sslPolicy",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.api={loadBalancer: {type: Public, sslPolicy: x}}",
     "spec.api.loadBalancer.sslPolicy: Forbidden: sslPolicy is only supported on AWS"},
    {"147 crossZoneLoadBalancing",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.api={loadBalancer: {type: Public, crossZoneLoadBalancing: true}}",
     "spec.api.loadBalancer.crossZoneLoadBalancing: Forbidden: crossZoneLoadBalancing is only "
     "supported on AWS"},
    {"147 accessLog",
     "spec.cloudProvider=hetzner\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "spec.api={loadBalancer: {type: Public, accessLog: {bucket: x}}}",
     "spec.api.loadBalancer.accessLog: Forbidden: accessLog is only supported on AWS"},
    {"148 internal",
     "spec.subnets[1].type=Public\n"
     "spec.api.loadBalancer.type=Internal",
     "spec.api.loadBalancer.type: Forbidden: Internal LoadBalancers must have at least one subnet "
     "of type Private"},
    {"149 storage classes",
     "spec.cloudProvider=openstack\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.cloudConfig={openstack: {router: {externalNetwork: x}}}\n"
     "spec.subnets=[{name: a, type: Public, zone: z}]\n"
     "spec.cloudConfig={manageStorageClasses: true, openstack: {router: {externalNetwork: x}, "
     "blockStorage: {createStorageClass: false}}}",
     "spec.cloudConfig.manageStorageClasses: Forbidden: Management of storage classes and "
     "OpenStack block storage classes are both specified but disagree"},
    {"150 legacy", "spec.iam={legacy: true}",
     "spec.iam.legacy: Forbidden: legacy IAM permissions are no longer supported"},
    {"151 names", "spec.iam={serviceAccountExternalPermissions: [{aws: {policyARNs: [x]}}]}",
     "spec.iam.serviceAccountExternalPermissions[/].namespace: Required value: namespace cannot be "
     "empty\n"
     "spec.iam.serviceAccountExternalPermissions[/].name: Required value: name cannot be empty"},
    {"151 twice",
     "spec.iam={serviceAccountExternalPermissions: [{namespace: ns, name: a, aws: {policyARNs: "
     "[x]}}, {namespace: ns, name: a, aws: {policyARNs: [x]}}]}",
     "spec.iam.serviceAccountExternalPermissions[ns/a]: Duplicate value: \"ns/a\""},
    {"151 aws", "spec.iam={serviceAccountExternalPermissions: [{namespace: ns, name: a}]}",
     "spec.iam.serviceAccountExternalPermissions[ns/a].aws: Required value: AWS permissions must "
     "be "
     "set"},
    {"151 nothing",
     "spec.iam={serviceAccountExternalPermissions: [{namespace: ns, name: a, aws: {}}]}",
     "spec.iam.serviceAccountExternalPermissions[ns/a].aws: Required value: either inlinePolicy or "
     "policyARN must be set"},
    {"151 both",
     "spec.iam={serviceAccountExternalPermissions: [{namespace: ns, name: a, aws: {policyARNs: "
     "[x], "
     "inlinePolicy: p}}]}",
     "spec.iam.serviceAccountExternalPermissions[ns/a].aws: Forbidden: cannot set both "
     "inlinePolicy "
     "and policyARN"},
    {"152 karpenter", "spec.karpenter={enabled: true}",
     "spec.karpenter.enabled: Forbidden: Karpenter requires that service accounts use external "
     "permissions"},
    {"153 cert manager", "spec.certManager={enabled: true, hostedZoneIDs: [x]}",
     "spec.certManager: Forbidden: Cert Manager requires that service accounts use external "
     "permissions in order to do dns-01 validation"},
    {"154 karpenter",
     "spec.iam={useServiceAccountExternalPermissions: true}\n"
     "spec.karpenter={enabled: true}\n"
     "spec.nodeTerminationHandler={enabled: true}",
     "spec.cloudProvider.aws.nodeTerminationHandler: Forbidden: nodeTerminationHandler cannot be "
     "used in conjunction with Karpenter"},
    {"154 spot",
     "spec.nodeTerminationHandler={enabled: true, enableSpotInterruptionDraining: false}",
     "spec.cloudProvider.aws.nodeTerminationHandler.enableSpotInterruptionDraining: Forbidden: "
     "spot interruption draining cannot be disabled in Queue Processor mode"},
    {"154 rebalance",
     "spec.nodeTerminationHandler={enabled: true, enableRebalanceMonitoring: true}",
     "spec.cloudProvider.aws.nodeTerminationHandler.enableRebalanceMonitoring: Forbidden: "
     "rebalance events can only drain in Queue Processor mode"},
    {"155 controller", "spec.awsLoadBalancerController={enabled: true}",
     "spec.cloudProvider.aws.awsLoadBalanceController: Forbidden: AWS Load Balancer Controller "
     "requires that cert manager is enabled"},
    {"155 webhook", "spec.podIdentityWebhook={enabled: true}",
     "spec.cloudProvider.aws.podIdentityWebhook: Forbidden: EKS Pod Identity Webhook requires that "
     "cert manager is enabled"},
    {"156 max", "spec.warmPool={maxSize: -1}",
     "spec.cloudProvider.aws.warmPool.maxSize: Invalid value: -1: warm pool maxSize cannot be "
     "negative"},
    {"156 max below min", "spec.warmPool={maxSize: 1, minSize: 2}",
     "spec.cloudProvider.aws.warmPool.maxSize: Invalid value: 1: warm pool maxSize cannot be set "
     "to lower than minSize"},
    {"156 min", "spec.warmPool={minSize: -1}",
     "spec.cloudProvider.aws.warmPool.minSize: Invalid value: -1: warm pool minSize cannot be "
     "negative"},
    {"156 images", "spec.warmPool={additionalImages: [x]}",
     "spec.cloudProvider.aws.warmPool.additionalImages: Forbidden: warm pool additional images can "
     "only be set in the instance group spec"},
    {"157 path", "spec.serviceAccountIssuerDiscovery={discoveryStore: \"foo://x\"}",
     "spec.serviceAccountIssuerDiscovery.serviceAccountIssuerDiscovery.discoveryStore: Invalid "
     "value: \"foo://x\": not a valid VFS path"},
    {"157 dots", "spec.serviceAccountIssuerDiscovery={discoveryStore: \"s3://a.b/c\"}",
     "spec.serviceAccountIssuerDiscovery.serviceAccountIssuerDiscovery.discoveryStore: Invalid "
     "value: \"s3://a.b/c\": Bucket name cannot contain dots"},
    {"157 store", "spec.serviceAccountIssuerDiscovery={discoveryStore: \"file:///tmp/x\"}",
     "spec.serviceAccountIssuerDiscovery.serviceAccountIssuerDiscovery.discoveryStore: Invalid "
     "value: \"/tmp/x\": S3 is the only supported VFS for discoveryStore"},
    {"158 url", "spec.serviceAccountIssuerDiscovery={discoveryService: {}}",
     "spec.serviceAccountIssuerDiscovery.serviceAccountIssuerDiscovery.discoveryService.url: "
     "Required value: discoveryService URL must be specified"},
    {"158 oidc", "spec.serviceAccountIssuerDiscovery={enableAWSOIDCProvider: true}",
     "spec.serviceAccountIssuerDiscovery.serviceAccountIssuerDiscovery.enableAWSOIDCProvider: "
     "Forbidden: AWS OIDC Provider requires a discoveryStore or discoveryService to be set"},
    {"159 both",
     "spec.serviceAccountIssuerDiscovery={discoveryStore: \"s3://a/b\", discoveryService: {url: "
     "x}}",
     "spec.serviceAccountIssuerDiscovery.discoveryStore: Forbidden: Only one of discoveryStore or "
     "discoveryService may be specified"},
    {"160 classic",
     "spec.topology.dns.type=Public\n"
     "spec.api.loadBalancer.class=Classic",
     "spec.api.loadBalancer.class: Forbidden: AWS Classic Load Balancer for API is no longer "
     "supported; migrate to a Network Load Balancer using kOps 1.36 or earlier. See "
     "https://github.com/kubernetes/kops/blob/master/permalinks/acm_nlb.md"},
    {"160 class",
     "spec.topology.dns.type=Public\n"
     "spec.api.loadBalancer.class=x",
     "spec.api.loadBalancer.class: Unsupported value: \"x\": supported values: \"Network\""},
    {"161 no DNS", "spec.api.loadBalancer.class=x",
     "spec.api.loadBalancer.class: Unsupported value: \"x\": supported values: \"Network\"\n"
     "spec.api.loadBalancer.type: Forbidden: topology.dns.type=none requires Network Load "
     "Balancer"},
    {"162 blank", "spec.api.loadBalancer.securityGroupOverride=\" \"",
     "spec.api.loadBalancer.securityGroupOverride: Invalid value: \" \": security group override "
     "cannot be empty, if specified"},
    {"162 format", "spec.api.loadBalancer.securityGroupOverride=x",
     "spec.api.loadBalancer.securityGroupOverride: Invalid value: \"x\": security group override "
     "does not match the expected AWS format"},
    {"163 twice", "spec.api.loadBalancer.additionalSecurityGroups=[sg-1, sg-1]",
     "spec.api.loadBalancer.additionalSecurityGroups[1]: Duplicate value: \"sg-1\""},
    {"163 blank", "spec.api.loadBalancer.additionalSecurityGroups=[\"\"]",
     "spec.api.loadBalancer.additionalSecurityGroups[0]: Invalid value: \"\": security group "
     "cannot be empty, if specified"},
    {"163 format", "spec.api.loadBalancer.additionalSecurityGroups=[x]",
     "spec.api.loadBalancer.additionalSecurityGroups[0]: Invalid value: \"x\": security group does "
     "not match the expected AWS format"},
    {"164 hairpin",
     "spec.api.loadBalancer.type=Internal\n"
     "spec.api.loadBalancer.useForInternalApi=true",
     "spec.api.loadBalancer.useForInternalAPI: Forbidden: useForInternalAPI cannot be used with "
     "internal NLB due lack of hairpinning support"},
    {"165 class",
     "spec.topology.dns.type=Public\n"
     "spec.api.loadBalancer.class=\n"
     "spec.api.loadBalancer.sslCertificate=c\n"
     "spec.api.loadBalancer.sslPolicy=x",
     "spec.api.loadBalancer.sslPolicy: Forbidden: sslPolicy should be specified with Network Load "
     "Balancer"},
    {"165 certificate", "spec.api.loadBalancer.sslPolicy=x",
     "spec.api.loadBalancer.sslPolicy: Forbidden: sslPolicy should not be specified without "
     "SSLCertificate"},
    {"166 name", "spec.api.loadBalancer.subnets=[{name: \"\"}]",
     "spec.api.loadBalancer.subnets[0].name: Required value: subnet name can't be empty"},
    {"166 unknown", "spec.api.loadBalancer.subnets=[{name: x}]",
     "spec.api.loadBalancer.subnets[0].name: Not found: \"x\""},
    {"166 address",
     "spec.api.loadBalancer.type=Internal\n"
     "spec.api.loadBalancer.subnets=[{name: a, privateIPv4Address: x}]",
     "spec.api.loadBalancer.subnets[0].privateIPv4Address: Invalid value: \"x\": "
     "privateIPv4Address is not a valid IPv4 address"},
    {"166 outside",
     "spec.api.loadBalancer.type=Internal\n"
     "spec.api.loadBalancer.subnets=[{name: a, privateIPv4Address: 10.0.0.1}]",
     "spec.api.loadBalancer.subnets[0].privateIPv4Address: Invalid value: \"10.0.0.1\": "
     "privateIPv4Address is not part of the subnet CIDR"},
    {"166 public", "spec.api.loadBalancer.subnets=[{name: a, privateIPv4Address: 172.20.0.9}]",
     "spec.api.loadBalancer.subnets[0].privateIPv4Address: Forbidden: privateIPv4Address only "
     "allowed for internal NLBs"},
    {"166 allocation",
     "spec.api.loadBalancer.type=Internal\n"
     "spec.api.loadBalancer.subnets=[{name: a, allocationId: eipalloc-1}]",
     "spec.api.loadBalancer.subnets[0].allocationID: Forbidden: allocationID only allowed for "
     "Public NLBs"},
    {"167 EBS", "spec.cloudConfig={awsEBSCSIDriver: {enabled: false}}",
     "spec.cloudProvider.aws.ebsCSIDriver.enabled: Forbidden: must not be disabled"},
    {"168 NLB groups", "spec.cloudConfig={nlbSecurityGroupMode: x}",
     "spec.cloudProvider.aws.nlbSecurityGroupMode: Unsupported value: \"x\": supported values: "
     "\"Managed\""},
    {"168 names",
     "spec.nonMasqueradeCIDR=\"::/0\"\n"
     "spec.cloudConfig={useIPBasedNodeNames: true}",
     "spec.cloudProvider.aws.useIPBasedNodeNames: Forbidden: IP-based node names are not supported "
     "on IPv6-only clusters"},
    {"169 backend",
     "spec.authentication={aws: {identityMappings: [{arn: \"arn:aws:iam::1:role/x\"}]}}",
     "spec.authentication.aws.backendMode: Forbidden: backendMode must be CRD if identityMappings "
     "is set"},
    {"169 arn",
     "spec.authentication={aws: {backendMode: CRD, identityMappings: [{arn: "
     "\"arn:aws:iam::1:policy/x\"}]}}",
     "spec.authentication.aws.identityMappings[0].arn: Invalid value: \"arn:aws:iam::1:policy/x\": "
     "arn must be a valid IAM Role or User ARN such as "
     "arn:aws:iam::123456789012:role/KopsExampleRole"},
    {"170 zone",
     "spec.cloudProvider=gce\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[{name: a, type: Public, region: r, cidr: 10.0.16.0/20}]\n"
     "spec.subnets[0].zone=z",
     "spec.networking.subnets[0].zone: Invalid value: \"z\": zones should not be specified for GCE "
     "subnets, as GCE subnets are regional"},
    {"171 Linode name",
     "spec.cloudProvider=linode\n"
     "spec.api={}\n"
     "spec.networkCIDR=\n"
     "spec.subnets=[]\n"
     "metadata.name=a234567890b234567890c234567890.xyz",
     "objectMeta.name: Invalid value: \"a234567890b234567890c234567890.xyz\": cluster name must be "
     "no more than 32 characters long"},
};

static const struct rule_case strict_cases[] = {
    {"strict: 2-8 kubelet",
     "spec.kubelet=", "spec.kubelet: Required value: kubelet not configured"},
    {"strict: 2-8 masterKubelet", "spec.masterKubelet=",
     "spec.controlPlaneKubelet: Required value: controlPlaneKubelet not configured"},
    {"strict: 2-8 kubeControllerManager", "spec.kubeControllerManager=",
     "spec.kubeControllerManager: Required value: kubeControllerManager not configured"},
    {"strict: 2-8 kubeDNS",
     "spec.kubeDNS=", "spec.kubeDNS: Required value: kubeDNS not configured"},
    {"strict: 2-8 kubeScheduler",
     "spec.kubeScheduler=", "spec.kubeScheduler: Required value: kubeScheduler not configured"},
    {"strict: 2-8 kubeAPIServer",
     "spec.kubeAPIServer=", "spec.kubeAPIServer: Required value: kubeAPIServer not configured"},
    {"strict: 2-8 kubeProxy",
     "spec.kubeProxy=", "spec.kubeProxy: Required value: kubeProxy not configured"},
    {"strict: 78 podCIDR",
     "spec.podCIDR=", "spec.networking.podCIDR: Required value: Cluster did not have podCIDR set"},
    {"80 service range",
     "spec.serviceClusterIPRange=\n"
     "spec.kubeAPIServer.serviceClusterIPRange=",
     "spec.networking.serviceClusterIPRange: Required value: Cluster did not have "
     "serviceClusterIPRange set"},
    {"strict: 83 cidr", "spec.subnets[0].cidr=",
     "spec.networking.subnets[0].cidr: Required value: subnet does not have a cidr set"},
    {"strict: 21 cloudProvider absent", "spec.kubelet.cloudProvider=",
     "spec.kubelet.cloudProvider: Forbidden: Did not match cluster cloudProvider"},
    {"strict: 51 service range absent", "spec.kubeAPIServer={logLevel: 2}",
     "spec.kubeAPIServer.serviceClusterIPRange: Forbidden: kubeAPIServer serviceClusterIPRange did "
     "not match cluster serviceClusterIPRange"},
};
