using Operator.Controller;

return args is ["crds", .. var folders] ? CrdFiles.Write(folders) : 0;
